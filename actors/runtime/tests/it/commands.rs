//! Commands: results, keys, refusals.

use protocol::command::{Action, CommandResult, Consent, Mode, Refusal};
use runtime::CommandError;

use crate::world::{World, address, command, memory, queued, run, sibling_address, text};

#[test]
fn the_same_key_answers_the_same_result_and_acts_once() {
    run(async {
        let world = World::new(memory());
        let node = world.start();
        let anna = address(1);
        world.writes(&anna, "/chat").await;
        world.rest(1).await;
        let wish = command("k", world.now().await, text("hello"));
        let (first, second) =
            tokio::join!(node.command(anna.clone(), wish.clone()), node.command(anna.clone(), wish.clone()));
        let first = queued(&first.unwrap());
        assert_eq!(first, queued(&second.unwrap()), "twice at once");
        world.rest(60).await;
        assert_eq!(first, queued(&node.command(anna.clone(), wish.clone()).await.unwrap()), "later");
        let mut other = wish;
        other.fingerprint = 2;
        let reused = node.command(anna, other).await.unwrap();
        assert_eq!(reused, CommandResult::Refused(Refusal::KeyReused));
        let sent = world.provider.texts();
        assert_eq!(sent.iter().filter(|text| *text == "hello").count(), 1);
    });
}

#[test]
fn a1_free_form_outside_the_window_is_refused_and_never_reaches_the_provider() {
    run(async {
        let world = World::new(memory());
        let node = world.start();
        let anna = address(1);
        let wish = command("k", world.now().await, text("hello"));
        let result = node.command(anna.clone(), wish).await.unwrap();
        assert!(matches!(result, CommandResult::Refused(Refusal::WindowClosed { .. })), "{result:?}");
        world.rest(60).await;
        assert!(world.provider.ledger().is_empty());
    });
}

#[test]
fn only_what_may_begin_a_conversation_does() {
    run(async {
        let world = World::new(memory());
        let node = world.start();
        let anna = address(1);
        let wish = command("k", world.now().await, Action::SetMode(Mode::Direct));
        let result = node.command(anna.clone(), wish).await.unwrap();
        assert_eq!(result, CommandResult::Refused(Refusal::NotFound));
        assert!(node.inspect(anna.conversation).await.unwrap().is_none());
    });
}

#[test]
fn e3_an_opt_out_holds_on_the_other_number_too() {
    run(async {
        let world = World::new(memory());
        let node = world.start();
        world.writes(&address(1), "#OPTOUT").await;
        world.rest(1).await;
        let state = node.inspect(sibling_address(1).conversation).await.unwrap();
        assert_eq!(state.map(|state| state.consent()), Some(Consent::OptedOut));
    });
}

#[test]
fn show_typing_reaches_the_provider() {
    run(async {
        let world = World::new(memory());
        let node = world.start();
        let anna = address(1);
        let id = world.writes(&anna, "/chat").await;
        world.rest(1).await;
        let wish = command("k", world.now().await, Action::ShowTyping);
        assert!(matches!(node.command(anna, wish).await.unwrap(), CommandResult::Done { .. }));
        world.rest(1).await;
        assert_eq!(world.provider.typing(), [id]);
    });
}

#[test]
fn too_many_waiting_callers_are_told_so() {
    run(async {
        let mut world = World::new(memory());
        world.settings.waiting_commands = 1;
        let node = world.start();
        let now = world.now().await;
        let (first, second) = tokio::join!(
            node.command(address(1), command("a", now, text("a"))),
            node.command(address(2), command("b", now, text("b"))),
        );
        assert!(first.is_ok());
        assert!(matches!(second, Err(CommandError::Busy)));
    });
}
