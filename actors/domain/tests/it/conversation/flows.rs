//! Applications from the first question to the last answer.

use std::sync::Arc;

use domain::texts;
use protocol::command::{Mode, Party};
use protocol::content::{Choice, Content, Media, MediaKind, MediaSource};
use protocol::directory::{Flow, StepKind};
use protocol::fact::{Answer, Fact, NotificationKind};
use protocol::id::{FlowId, MediaId};
use protocol::time::SpanMs;

use super::world::{World, body, flow, names, notified, question};

fn cv() -> Media {
    Media {
        kind: MediaKind::Document,
        source: MediaSource::Provider(MediaId::new("media.1")),
        mime_type: Some("application/pdf".into()),
        sha256: None,
        filename: Some("cv.pdf".into()),
        caption: None,
        voice: false,
    }
}

fn with_flow(change: impl FnOnce(&mut Flow)) -> World {
    let mut world = World::new();
    let mut changed = flow(1);
    change(&mut changed);
    world.tenant.flows.entry(FlowId::new("TEST0001")).or_default().insert(1, Arc::new(changed));
    world
}

/// Answers one question and returns what is asked next.
fn answer(world: &mut World, text: &str) -> String {
    world.deliver_all();
    world.says(text);
    world.queued().first().cloned().unwrap_or_default()
}

#[test]
fn a8_an_application_asks_in_order_and_ends_with_every_answer() {
    let mut world = World::new();
    let begun = world.says("TEST0001");
    assert!(names(&begun).contains(&"conversation.vacancy_changed"));
    assert_eq!(world.deliver_all().iter().map(body).collect::<Vec<_>>(), ["name?"]);
    world.says("Anna Rossi");
    let Some(Content::Interactive { options, list_button: None, .. }) = world.deliver_all().pop() else {
        panic!("no buttons")
    };
    assert_eq!(options.iter().map(|option| option.title.as_str()).collect::<Vec<_>>(), ["Sì", "No"]);
    world.receives(Content::Choice { id: options[0].id.clone(), title: "Sì".into() });
    let asked = world.deliver_all().pop().map(|content| body(&content)).unwrap();
    assert!(asked.starts_with("cv?") && asked.contains("/skip"), "{asked}");
    let effects = world.receives(Content::Media(cv()));
    let Some(Fact::FlowCompleted { answers, vacancy, version: 1, .. }) =
        effects.facts.iter().find(|fact| matches!(fact, Fact::FlowCompleted { .. }))
    else {
        panic!("not completed")
    };
    assert_eq!(
        *answers,
        [
            ("name".into(), Answer::Text("Anna Rossi".into())),
            ("licence".into(), Answer::Text("Sì".into())),
            ("cv".into(), Answer::File(cv())),
        ]
    );
    assert_eq!(vacancy.as_ref().unwrap().id, "vac-1");
}

#[test]
fn a6_a_completed_application_switches_to_direct_and_says_so() {
    let mut world = World::new();
    for text in ["TEST0001", "Anna", "1"] {
        world.says(text);
        world.deliver_all();
    }
    let effects = world.says("/skip");
    assert_eq!(world.state.mode, Mode::Direct);
    assert!(effects.facts.contains(&Fact::ModeChanged { mode: Mode::Direct, by: Party::Bot }));
    assert_eq!(notified(&effects), [NotificationKind::ApplicationCompleted]);
    let said = &world.queued()[0];
    assert!(said.starts_with("Grazie, abbiamo ricevuto la tua candidatura."));
    assert!(said.ends_with(texts::of("it").completed));
    assert!(world.state.run.is_none());
}

#[test]
fn a8_choices_are_answered_by_title_number_or_tap() {
    for content in [
        Content::Text { body: "si".into() },
        Content::Text { body: " SÌ! ".into() },
        Content::Text { body: "1".into() },
        Content::Choice { id: "licence:1".into(), title: "Sì".into() },
    ] {
        let mut world = World::new();
        world.says("TEST0001");
        answer(&mut world, "Anna");
        let effects = world.receives(content.clone());
        assert!(names(&effects).contains(&"flow.answered"), "{content:?}");
    }
}

#[test]
fn a8_a_tap_on_an_old_question_is_no_answer() {
    let mut world = with_flow(|flow| flow.steps[0].kind = StepKind::Consent);
    world.says("TEST0001");
    answer(&mut world, "sì");
    let effects = world.receives(Content::Choice { id: "name:yes".into(), title: "Sì".into() });
    assert!(!names(&effects).contains(&"flow.answered"));
}

#[test]
fn a8_what_does_not_fit_is_asked_again_politely() {
    let mut world = World::new();
    world.says("TEST0001");
    answer(&mut world, "Anna");
    let again = answer(&mut world, "maybe");
    assert!(again.contains(texts::of("it").retry_choice) && again.ends_with("licence?"), "{again}");
    let mut own = with_flow(|flow| flow.steps[1].retry = Some("Sì o no?".into()));
    own.says("TEST0001");
    answer(&mut own, "Anna");
    assert!(answer(&mut own, "maybe").starts_with("Sì o no?"));
}

#[test]
fn a8_only_optional_questions_are_skipped() {
    let mut world = World::new();
    world.says("TEST0001");
    let again = answer(&mut world, "/skip");
    assert!(again.contains(texts::of("it").cannot_skip), "{again}");
}

#[test]
fn a8_back_corrects_the_last_answer() {
    let mut world = World::new();
    world.says("TEST0001");
    answer(&mut world, "Ana");
    assert_eq!(answer(&mut world, "back"), "name?");
    assert_eq!(answer(&mut world, "indietro"), "name?", "there is nothing before the first question");
    answer(&mut world, "Anna");
    assert_eq!(world.state.run.as_ref().unwrap().answers, [(0, Answer::Text("Anna".into()))]);
}

#[test]
fn a8_answers_choose_the_way() {
    let mut world = with_flow(|flow| {
        flow.steps[1].branches.insert("No".into(), "end".into());
        flow.steps[1].branches.insert("sì".into(), "cv".into());
        flow.steps.insert(2, question("never", StepKind::Text));
    });
    let mut other = world.clone();
    world.says("TEST0001");
    answer(&mut world, "Anna");
    assert!(answer(&mut world, "sì").starts_with("cv?"));
    other.says("TEST0001");
    answer(&mut other, "Anna");
    assert!(names(&other.says("no")).contains(&"flow.completed"));
}

#[test]
fn a8_without_consent_the_application_ends() {
    let mut world = with_flow(|flow| flow.steps[0].kind = StepKind::Consent);
    world.says("TEST0001");
    let effects = world.says("no");
    assert!(names(&effects).contains(&"flow.abandoned"));
    assert!(world.queued().contains(&texts::of("it").declined.to_owned()));
    assert_eq!(world.state.mode, Mode::Bot);
}

#[test]
fn a8_a_silent_person_is_reminded_once() {
    let mut world = World::new();
    world.says("TEST0001");
    world.deliver_all();
    assert_eq!(world.state.next_deadline(), Some(world.now + SpanMs::hours(1)));
    let effects = world.later(SpanMs::hours(1)).tick();
    assert_eq!(names(&effects)[0], "flow.reminded");
    assert!(world.deliver_all().iter().map(body).all(|said| said.ends_with("name?")));
    assert!(!names(&world.later(SpanMs::hours(1)).tick()).contains(&"flow.reminded"));
}

#[test]
fn a8_nobody_is_reminded_when_the_window_is_closed() {
    let mut world = with_flow(|flow| flow.reminder_after_seconds = 30 * 3_600);
    world.says("TEST0001");
    world.deliver_all();
    assert_eq!(names(&world.later(SpanMs::hours(30)).tick()), ["window.closed"]);
}

#[test]
fn a8_a_running_application_finishes_on_its_version() {
    let mut world = World::new();
    world.says("TEST0001");
    let mut newer = flow(2);
    newer.steps[1].ask = "changed?".into();
    world.tenant.flows.get_mut(&FlowId::new("TEST0001")).unwrap().insert(2, Arc::new(newer));
    assert_eq!(answer(&mut world, "Anna"), "licence?");
    let mut fresh = world.clone();
    fresh.says("/endchat");
    fresh.says("TEST0001");
    assert_eq!(answer(&mut fresh, "Anna"), "changed?");
}

#[test]
fn a8_an_application_whose_version_is_gone_ends_cleanly() {
    let mut world = World::new();
    world.says("TEST0001");
    world.tenant.flows.clear();
    world.deliver_all();
    let effects = world.says("Anna");
    assert!(names(&effects).contains(&"flow.abandoned"));
    assert_eq!(world.queued(), [texts::of("it").flow_gone]);
}

#[test]
fn a5_opening_the_chat_breaks_the_application_off() {
    let mut world = World::new();
    world.says("TEST0001");
    let effects = world.says("/chat");
    assert_eq!(names(&effects)[1..3], ["flow.abandoned", "conversation.mode_changed"]);
}

#[test]
fn a8_long_choices_become_a_list_or_numbers() {
    let mut world =
        with_flow(|flow| flow.steps[1].options = (1..=10).map(|n| format!("option {n}")).collect());
    world.says("TEST0001");
    world.deliver_all();
    world.says("Anna");
    let Some(Content::Interactive { options, list_button: Some(_), .. }) = world.deliver_all().pop() else {
        panic!("no list")
    };
    assert_eq!(options[9], Choice { id: "licence:10".into(), title: "option 10".into() });
    let mut long = with_flow(|flow| flow.steps[1].options = vec!["x".repeat(25), "y".into()]);
    long.says("TEST0001");
    assert!(answer(&mut long, "Anna").ends_with("\n2. y"));
    assert!(names(&long.says("2")).contains(&"flow.answered"));
}
