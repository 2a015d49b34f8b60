//! What a send is refused for, before anything reaches the provider.

use domain::limits::{QUEUE, TEXT_CHARS};
use protocol::command::{Action, Refusal, SendBody};
use protocol::content::{Category, Channel, Choice, Content};
use protocol::id::{Bsuid, ProviderId};
use protocol::phone::ContactKey;

use super::world::{World, names, phone, queued_id, refusal};

#[test]
fn c5_unsupported_destinations_are_refused_up_front() {
    for (number, country) in [("+5351234567", "CU"), ("+8613912345678", "CN"), ("+79781234567", "UA-43")] {
        let mut world = World::with(ContactKey::Phone(phone(number)));
        let expected = Refusal::UnsupportedDestination { country: country.into() };
        assert_eq!(refusal(&world.send_template("hello", "en", &[])), expected);
    }
    let mut by_user_id = World::with(ContactKey::Bsuid(Bsuid::new("IR.12345")));
    let expected = Refusal::UnsupportedDestination { country: "IR".into() };
    assert_eq!(refusal(&by_user_id.send_template("hello", "en", &[])), expected);
}

#[test]
fn d1_a_disabled_number_does_not_send_and_keeps_receiving() {
    let mut world = World::direct();
    world.number.enabled = false;
    assert_eq!(refusal(&world.send("hello")), Refusal::NumberDisabled);
    assert!(names(&world.says("hello")).contains(&"message.received"));
}

#[test]
fn b5_a_channel_that_cannot_send_yet_says_so() {
    let mut world = World::new();
    world.number.channel = Channel::Sms;
    assert_eq!(refusal(&world.send("hello")), Refusal::NotSupported { capability: "send".into() });
}

#[test]
fn d13_parameters_are_counted_before_any_send() {
    let mut world = World::direct();
    for values in [&[][..], &["Anna"], &["Anna", "lunedì", "presto"]] {
        let Refusal::TemplateParameters { expected, given } =
            refusal(&world.send_template("interview_invite", "it", values))
        else {
            panic!("another refusal")
        };
        assert_eq!((expected.len(), given), (2, values.len()));
    }
    queued_id(&world.send_template("interview_invite", "it", &["Anna", "lunedì"]));
    let Content::Template(template) = &world.state.queue[0].content else { panic!("no template") };
    assert_eq!(template.rendered, "Ciao Anna, ti aspettiamo il lunedì.");
    assert_eq!(world.state.queue[0].category, Category::Utility);
}

#[test]
fn d13_only_approved_templates_go_out_and_only_in_their_language() {
    let mut world = World::new();
    let languages = vec!["it".into()];
    assert_eq!(
        refusal(&world.send_template("interview_invite", "de", &[])),
        Refusal::TemplateNotFound { languages }
    );
    let none = Refusal::TemplateNotFound { languages: Vec::new() };
    assert_eq!(refusal(&world.send_template("nothing", "it", &[])), none);
    let paused = Refusal::TemplateNotApproved { status: "paused".into() };
    assert_eq!(refusal(&world.send_template("paused", "it", &[])), paused);
}

#[test]
fn d13_a_custom_template_is_free_form() {
    let mut world = World::new();
    let Refusal::WindowClosed { .. } = refusal(&world.send_template("thanks", "it", &["Anna"])) else {
        panic!("another refusal")
    };
    let mut open = World::direct();
    open.send_template("thanks", "it", &["Anna"]);
    assert_eq!(open.queued(), ["Grazie Anna!"]);
}

#[test]
fn what_the_provider_would_refuse_is_refused_here() {
    let mut world = World::direct();
    let Refusal::InvalidContent { pointer, .. } = refusal(&world.send(&"x".repeat(TEXT_CHARS + 1))) else {
        panic!("another refusal")
    };
    assert_eq!(pointer, "/text/body");
}

#[test]
fn questions_and_reactions_are_sent() {
    let mut world = World::direct();
    let options = (1..=4).map(|n| Choice { id: n.to_string().into(), title: n.to_string() }).collect();
    world.command(Action::Send(SendBody::Interactive { body: "which?".into(), options }));
    let message = ProviderId::new("wamid.in.1");
    world.command(Action::Send(SendBody::Reaction { message, emoji: Some("👍".into()) }));
    let kinds: Vec<_> = world.state.queue.iter().map(|message| message.content.kind()).collect();
    assert_eq!(kinds, ["interactive", "reaction"]);
    let Content::Interactive { list_button, .. } = &world.state.queue[0].content else {
        panic!("no question")
    };
    assert_eq!(list_button.as_deref(), Some("Scegli"));
}

#[test]
fn the_queue_is_bounded() {
    let mut world = World::direct();
    for _ in 0..QUEUE {
        queued_id(&world.send("hello"));
    }
    assert_eq!(refusal(&world.send("one too many")), Refusal::QueueFull { limit: QUEUE });
    world.says("/chat");
    assert_eq!(world.state.queue.len(), QUEUE, "the bot keeps to the bound as well");
}
