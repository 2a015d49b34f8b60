//! Free-form to a contact that was silent for too long: submitted for approval, sent once.

use domain::conversation::{Effects, Stage, Waiting};
use domain::limits::{APPROVAL_LOOK_MAX, TEMPLATE_REST};
use domain::template::of_message;
use protocol::command::{
    Action, ApprovalWish, CommandResult, Consent, ConsentRecord, ConsentSource, Party, Refusal,
};
use protocol::content::{Category, Content};
use protocol::directory::{Template, TemplateStatus};
use protocol::fact::{Fact, MessageStatus};
use protocol::id::{MessageId, WabaId};
use protocol::time::SpanMs;

use super::world::{ANNA, START, World, body, names, notified, queued_id, refusal, statuses, template};

pub(super) const TEXT: &str = "Sei ancora interessato al posto?";
const DAY: SpanMs = SpanMs::hours(24);

pub(super) fn wish(within: SpanMs) -> ApprovalWish {
    ApprovalWish { category: Category::Marketing, language: None, within_ms: within.0 }
}

pub(super) fn waba() -> WabaId {
    WabaId::new("77")
}

fn awaiting(effects: &Effects) -> MessageId {
    match &effects.result {
        Some(CommandResult::AwaitingApproval { message, .. }) => *message,
        other => panic!("does not wait: {other:?}"),
    }
}

impl World {
    /// A contact that was silent for two days, and a number of an account.
    fn silent() -> Self {
        let mut world = Self::direct();
        world.number.waba_id = Some(waba());
        world.later(SpanMs::hours(48)).tick();
        world
    }

    fn submit_as(&mut self, text: &str, approval: ApprovalWish) -> Effects {
        self.command(Action::SendOrSubmit { body: text.into(), reply_to: None, approval })
    }

    fn submit(&mut self, text: &str) -> Effects {
        self.submit_as(text, wish(DAY))
    }

    /// The template of the text is configured with a status.
    pub(super) fn judged(&mut self, status: TemplateStatus, reason: Option<&str>) {
        let tenant = self.tenant.tenant.id;
        let made = of_message(tenant, (TEXT, &"it".into(), Category::Marketing), Some(waba()));
        self.configure(Template { status, reason: reason.map(str::to_owned), ..made });
    }

    fn configure(&mut self, template: Template) {
        let languages = self.tenant.templates.entry(template.name.clone()).or_default();
        languages.insert(template.language.clone(), template);
    }

    fn until_next_look(&mut self) -> Effects {
        self.now = self.state.next_deadline().unwrap().max(self.now);
        self.tick()
    }
}

#[test]
fn c4_a_text_waits_for_approval_and_is_sent_once_as_a_template() {
    let mut world = World::silent();
    let effects = world.submit(TEXT);
    let id = awaiting(&effects);
    assert!(names(&effects).contains(&"message.awaiting_approval"));
    assert!(effects.offers.is_empty() && effects.posts.is_empty());
    assert!(matches!(world.waiting(), Some(Waiting::Approval { until }) if until == world.now + DAY));
    assert!(world.claim(id).posts.is_empty(), "nothing can be claimed before");
    world.judged(TemplateStatus::Pending, None);
    assert_eq!(world.until_next_look().facts, []);
    world.judged(TemplateStatus::Approved, None);
    let released = world.until_next_look();
    assert_eq!(statuses(&released), [MessageStatus::Queued]);
    assert_eq!(released.offers.len(), 1);
    let posts = world.claim(id).posts;
    let Content::Template(sent) = &posts[0].content else { panic!("not a template") };
    assert_eq!((sent.rendered.as_str(), posts[0].category), (TEXT, Category::Marketing));
    assert!(sent.name.starts_with("message_"));
    world.accepted(id, "wamid.1");
    world.later(DAY);
    assert!(world.tick().posts.is_empty() && world.state.queue.is_empty());
}

#[test]
fn c4_when_the_contact_writes_meanwhile_it_goes_out_as_it_is() {
    let mut world = World::silent();
    let id = awaiting(&world.submit(TEXT));
    let effects = world.says("Eccomi");
    assert!(statuses(&effects).contains(&MessageStatus::Queued));
    let posts = world.claim(id).posts;
    assert_eq!((body(&posts[0].content).as_str(), posts[0].category), (TEXT, Category::Service));
    assert!(matches!(posts[0].content, Content::Text { .. }));
    world.accepted(id, "wamid.1");
    world.judged(TemplateStatus::Approved, None);
    world.later(SpanMs::hours(48));
    assert!(world.tick().posts.is_empty(), "the approval comes too late");
}

#[test]
fn c4_an_approved_template_with_the_same_wording_is_used_instead() {
    let mut world = World::silent();
    let effects = world.submit("Ciao Anna, ti aspettiamo il lunedì.");
    let id = queued_id(&effects);
    let Content::Template(sent) = &world.claim(id).posts[0].content else { panic!("not a template") };
    assert_eq!((sent.name.as_str(), sent.parameters.len()), ("interview_invite", 2));
    assert_eq!(sent.rendered, "Ciao Anna, ti aspettiamo il lunedì.");
    world.judged(TemplateStatus::Approved, None);
    queued_id(&world.submit(TEXT));
}

#[test]
fn c4_a_rejection_returns_the_message_with_the_reason() {
    for (status, reason) in [
        (TemplateStatus::Rejected, Some("PROMOTIONAL")),
        (TemplateStatus::Disabled, Some("ABUSIVE_CONTENT")),
        (TemplateStatus::Deleted, None),
    ] {
        let mut world = World::silent();
        let id = awaiting(&world.submit(TEXT));
        world.judged(status, reason);
        let effects = world.until_next_look();
        let refused = effects.facts.iter().find_map(|fact| match fact {
            Fact::StatusChanged { message, status: MessageStatus::Refused, errors, .. } => {
                Some((*message, errors[0].clone()))
            }
            _ => None,
        });
        let (message, error) = refused.unwrap();
        assert_eq!((message, error.title.as_str()), (id, "template_rejected"));
        assert!(reason.is_none_or(|reason| error.detail.unwrap().contains(reason)));
        assert_eq!(notified(&effects).len(), 1, "its sender is told");
        assert!(world.state.queue.is_empty());
    }
    let mut world = World::silent();
    world.judged(TemplateStatus::Rejected, Some("PROMOTIONAL"));
    let Refusal::InvalidContent { pointer, detail } = refusal(&world.submit(TEXT)) else { panic!() };
    assert!(pointer == "/text/body" && detail.contains("PROMOTIONAL"), "the same text again: {detail}");
}

#[test]
fn c4_a_deadline_returns_the_message() {
    let mut world = World::silent();
    awaiting(&world.submit(TEXT));
    let begin = world.now;
    let mut looks = 0;
    let ended = loop {
        let before = world.now;
        let effects = world.until_next_look();
        looks += 1;
        assert!(world.now - before <= APPROVAL_LOOK_MAX, "an approval is noticed soon");
        if !effects.facts.is_empty() {
            break effects;
        }
    };
    assert_eq!(world.now, begin + DAY);
    assert!(looks < 400, "a day of waiting costs {looks} looks");
    assert_eq!(statuses(&ended), [MessageStatus::Refused]);
    assert!(world.state.queue.is_empty() && world.state.next_deadline().is_none());
}

#[test]
fn c4_other_messages_pass_one_that_waits() {
    let mut world = World::silent();
    let waits = awaiting(&world.submit(TEXT));
    let passes = queued_id(&world.send_template("hello", "en", &[]));
    assert_eq!(world.claim(passes).posts.len(), 1);
    world.accepted(passes, "wamid.1");
    assert_eq!(world.state.queue[0].id, waits);
    let second = awaiting(&world.submit("Un'altra domanda?"));
    world.judged(TemplateStatus::Approved, None);
    world.until_next_look();
    world.claim(waits);
    world.accepted(waits, "wamid.2");
    assert!(matches!(world.state.queue[0].stage, Stage::AwaitingApproval { .. }));
    assert_eq!(world.state.queue[0].id, second);
}

#[test]
fn c4_d14_consent_and_block_end_the_waiting() {
    let refuse = |consent| {
        let (source, by) = (ConsentSource::Recorded, Party::User(ANNA));
        Action::SetConsent(ConsentRecord { consent, source, text: None, by, at: START })
    };
    for action in [refuse(Consent::OptedOut), Action::SetBlocked(true), Action::SetLeft(true)] {
        let mut world = World::silent();
        awaiting(&world.submit(TEXT));
        assert_eq!(statuses(&world.command(action)), [MessageStatus::Refused]);
        assert!(world.state.queue.is_empty());
        assert!(!names(&world.submit(TEXT)).contains(&"message.awaiting_approval"));
    }
    let mut bulk = World::silent();
    let wanted = Action::SendOrSubmit { body: TEXT.into(), reply_to: None, approval: wish(DAY) };
    assert_eq!(refusal(&bulk.command_by(Party::Automation, wanted)), Refusal::OptInRequired);
}

#[test]
fn c4_what_cannot_be_submitted_is_refused_at_once() {
    let mut world = World::silent();
    let long = "x".repeat(1_025);
    let texts =
        ["", "Ciao {{1}}!", "Ciao }}", long.as_str(), "Ciao\tAnna", "Ciao     Anna", "Ciao\n\n\nAnna"];
    for text in texts {
        let Refusal::InvalidContent { pointer, detail } = refusal(&world.submit(text)) else { panic!() };
        assert_eq!(pointer, "/text/body", "{text}: {detail}");
    }
    assert!(world.state.queue.is_empty());
    let wrong = [
        (ApprovalWish { category: Category::Authentication, ..wish(DAY) }, "/approval/category"),
        (ApprovalWish { language: Some("klingon".into()), ..wish(DAY) }, "/approval/language"),
    ];
    for (wish, pointer) in wrong {
        let Refusal::InvalidContent { pointer: found, .. } = refusal(&world.submit_as(TEXT, wish)) else {
            panic!()
        };
        assert_eq!(found, pointer);
    }
    world.tenant.tenant.settings.max_templates = 4;
    let Refusal::InvalidContent { pointer, .. } = refusal(&world.submit(TEXT)) else { panic!() };
    assert_eq!(pointer, "/approval", "D13: no room for another template");
    world.number.waba_id = None;
    let Refusal::InvalidContent { pointer, .. } = refusal(&world.submit(TEXT)) else { panic!() };
    assert_eq!(pointer, "/approval");
    let mut open = World::direct();
    queued_id(&open.submit(TEXT));
    queued_id(&open.submit(&long));
    assert_eq!(open.queued(), [TEXT, &long], "an open window needs no approval");
}

#[test]
fn d13_a_template_that_is_paused_meanwhile_holds_its_message_and_a_disabled_one_returns_it() {
    let mut world = World::silent();
    let id = queued_id(&world.send_template("hello", "en", &[]));
    let hello = template("hello", "en", "Hello!");
    world.configure(Template { status: TemplateStatus::Paused, ..hello.clone() });
    assert!(world.claim(id).posts.is_empty());
    assert_eq!(world.state.next_deadline(), Some(world.now + TEMPLATE_REST));
    world.configure(hello.clone());
    world.later(TEMPLATE_REST);
    assert_eq!(world.tick().offers.len(), 1);
    world.configure(Template { status: TemplateStatus::Disabled, ..hello });
    let effects = world.claim(id);
    assert_eq!((statuses(&effects), effects.posts.len()), (vec![MessageStatus::Refused], 0));
}
