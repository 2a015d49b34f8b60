//! Laws over random histories.

use domain::conversation::{Effects, Input};
use proptest::prelude::*;
use protocol::command::{Action, Consent, ConsentRecord, ConsentSource, Mode, Party, SendBody};
use protocol::content::{Content, ProviderError};
use protocol::directory::TemplateStatus;
use protocol::entry::{Happening, ProviderStatus};
use protocol::fact::Fact;
use protocol::id::{MessageId, ProviderId};
use protocol::outbound::Outcome;
use protocol::time::SpanMs;

use super::approval::{TEXT, waba, wish};
use super::oracle::Oracle;
use super::world::{ANNA, World, text};

/// One thing that happens, small enough to be shrunk.
#[derive(Clone, Debug)]
enum Op {
    Says(&'static str),
    SaysLate { hours: i64 },
    Reacts,
    Sends,
    SendsTemplate,
    SendsInBulk,
    Submits,
    Judged(TemplateStatus),
    Does(Action),
    Claims { index: usize },
    Ends(Ending),
    Status { target: usize, with_our_id: bool, status: ProviderStatus },
    Waits(SpanMs),
    WaitsForTimer,
    Ticks,
    Recovers,
    Switches,
    Repeats,
}

#[derive(Clone, Copy, Debug)]
enum Ending {
    Accepted,
    Held,
    Rejected(i64),
    NotSent,
    InDoubt,
}

fn action() -> impl Strategy<Value = Action> {
    let consent = |consent| {
        let (source, by) = (ConsentSource::Recorded, Party::User(ANNA));
        Action::SetConsent(ConsentRecord { consent, source, text: None, by, at: super::world::START })
    };
    prop_oneof![
        any::<bool>().prop_map(Action::SetBlocked),
        any::<bool>().prop_map(Action::SetLeft),
        any::<bool>().prop_map(Action::SetPaused),
        prop_oneof![Just(Mode::Bot), Just(Mode::Direct)].prop_map(Action::SetMode),
        prop_oneof![Just(Consent::Undefined), Just(Consent::OptedIn), Just(Consent::OptedOut)]
            .prop_map(consent),
        Just(Action::MarkRead),
        Just(Action::ShowTyping),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let words = vec!["hello", "TEST0001", "Anna", "1", "/skip", "back", "/chat", "/endchat", "stop", "START"];
    let codes =
        prop_oneof![Just(131_056), Just(131_047), Just(131_050), Just(131_049), Just(131_000), Just(100)];
    let status = prop_oneof![
        Just(ProviderStatus::Sent),
        Just(ProviderStatus::Delivered),
        Just(ProviderStatus::Read),
        Just(ProviderStatus::Failed),
    ];
    let verdict = prop_oneof![
        Just(TemplateStatus::Pending),
        Just(TemplateStatus::Approved),
        Just(TemplateStatus::Rejected)
    ];
    prop_oneof![
        6 => prop::sample::select(words).prop_map(Op::Says),
        1 => (0..50i64).prop_map(|hours| Op::SaysLate { hours }),
        1 => Just(Op::Reacts),
        4 => Just(Op::Sends),
        2 => Just(Op::SendsTemplate),
        1 => Just(Op::SendsInBulk),
        2 => Just(Op::Submits),
        1 => verdict.prop_map(Op::Judged),
        3 => action().prop_map(Op::Does),
        8 => (0..3usize).prop_map(|index| Op::Claims { index }),
        3 => Just(Op::Ends(Ending::Accepted)),
        1 => Just(Op::Ends(Ending::Held)),
        2 => codes.prop_map(|code| Op::Ends(Ending::Rejected(code))),
        1 => Just(Op::Ends(Ending::NotSent)),
        1 => Just(Op::Ends(Ending::InDoubt)),
        4 => (0..6usize, any::<bool>(), status)
            .prop_map(|(target, with_our_id, status)| Op::Status { target, with_our_id, status }),
        2 => (1..120_000i64).prop_map(|ms| Op::Waits(SpanMs(ms))),
        1 => (1..30i64).prop_map(|hours| Op::Waits(SpanMs::hours(hours))),
        3 => Just(Op::WaitsForTimer),
        2 => Just(Op::Ticks),
        1 => Just(Op::Recovers),
        1 => Just(Op::Switches),
        2 => Just(Op::Repeats),
    ]
}

/// A world with a memory of what was sent.
struct History {
    world: World,
    oracle: Oracle,
    posted: Vec<MessageId>,
    last: Option<Happening>,
    all: Vec<Effects>,
}

impl History {
    fn new() -> Self {
        let (mut world, oracle) = (World::new(), Oracle::default());
        world.number.waba_id = Some(waba());
        Self { world, oracle, posted: Vec::new(), last: None, all: Vec::new() }
    }

    fn run(ops: &[Op]) -> Self {
        let mut history = Self::new();
        for op in ops {
            if let Some(input) = history.input(op) {
                history.apply(input);
            }
        }
        history
    }

    fn apply(&mut self, input: Input) {
        if let Input::Happening(happening) = &input {
            // The shard answers a repeated command with its stored result: it comes here once.
            self.last = (!matches!(**happening, Happening::Command(_))).then(|| (**happening).clone());
        }
        let now = self.world.now;
        self.oracle.before(now, &input, &self.world.state);
        let effects = self.world.apply(input.clone());
        self.oracle.after(now, &input, &self.world.state, &effects);
        self.posted.extend(effects.posts.iter().map(|post| post.message));
        self.all.push(effects);
    }

    fn command(&mut self, by: Party, action: Action) -> Happening {
        let key = protocol::command::CommandKey(u128::from(self.world.count()));
        let expires_at = self.world.now + SpanMs::seconds(10);
        Happening::Command(protocol::command::Command { key, fingerprint: 1, by, expires_at, action })
    }

    fn send(&mut self, by: Party) -> Happening {
        self.command(by, Action::Send(SendBody::Text { body: "hello".into(), reply_to: None }))
    }

    fn input(&mut self, op: &Op) -> Option<Input> {
        let happening = match op {
            Op::Says(words) => Happening::Received(self.world.message(text(words))),
            Op::SaysLate { hours } => {
                let mut message = self.world.message(text("hello"));
                message.sent_at = message.sent_at - SpanMs::hours(*hours);
                Happening::Received(message)
            }
            Op::Reacts => {
                let message = ProviderId::new("wamid.any");
                Happening::Received(self.world.message(Content::Reaction { message, emoji: None }))
            }
            Op::Sends => self.send(Party::User(ANNA)),
            Op::SendsInBulk => self.send(Party::Automation),
            Op::Submits => {
                let approval = wish(SpanMs::minutes(10));
                let body = TEXT.to_owned();
                self.command(Party::User(ANNA), Action::SendOrSubmit { body, reply_to: None, approval })
            }
            Op::SendsTemplate => {
                let (name, language, parameters) = ("hello".into(), "en".into(), Vec::new());
                self.command(
                    Party::User(ANNA),
                    Action::Send(SendBody::Template { name, language, parameters }),
                )
            }
            Op::Does(action) => {
                let mut action = action.clone();
                if let Action::SetConsent(record) = &mut action {
                    record.at = self.world.now;
                }
                self.command(Party::User(ANNA), action)
            }
            Op::Status { target, with_our_id, status } => self.status(*target, *with_our_id, *status)?,
            Op::Repeats => self.last.clone()?,
            other => return self.other_input(other),
        };
        Some(Input::Happening(Box::new(happening)))
    }

    fn other_input(&mut self, op: &Op) -> Option<Input> {
        match op {
            Op::Claims { index } => {
                let message = self.world.state.queue.get(*index)?.id;
                return Some(Input::Claim { message });
            }
            Op::Ends(ending) => return self.outcome(*ending),
            Op::Ticks => return Some(Input::Tick),
            Op::Recovers => return Some(Input::Recover),
            Op::Waits(span) => self.world.now = self.world.now + *span,
            Op::WaitsForTimer => {
                self.world.now = self.world.state.next_deadline()?.max(self.world.now);
                return Some(Input::Tick);
            }
            Op::Judged(status) => self.world.judged(*status, None),
            Op::Switches => self.world.number.enabled = !self.world.number.enabled,
            _ => {}
        }
        None
    }

    fn outcome(&mut self, ending: Ending) -> Option<Input> {
        let message = *self.posted.last()?;
        let outcome = match ending {
            Ending::Accepted => Outcome::Accepted { provider_id: provider_id(message), recipient: None },
            Ending::Held => Outcome::Held { provider_id: provider_id(message), recipient: None },
            Ending::Rejected(code) => {
                let error = ProviderError { code, title: String::new(), detail: None };
                Outcome::Rejected { error, retry_after_ms: None }
            }
            Ending::NotSent => Outcome::NotSent { detail: "connect".into() },
            Ending::InDoubt => Outcome::InDoubt { detail: "time-out".into() },
        };
        Some(Input::Outcome { message, outcome })
    }

    fn status(&mut self, target: usize, with_our_id: bool, status: ProviderStatus) -> Option<Happening> {
        let message = *self.posted.iter().rev().nth(target)?;
        let ours = with_our_id.then_some(message);
        Some(Happening::Status(self.world.status_update(provider_id(message).as_str(), ours, status)))
    }
}

fn provider_id(message: MessageId) -> ProviderId {
    ProviderId::new(format!("wamid.{message}"))
}

fn histories() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(), 0..120)
}

proptest! {
    /// Whatever a person types is answered, kept or refused, and never stops the conversation.
    #[test]
    fn any_text_is_taken(texts in prop::collection::vec(any::<String>(), 0..8)) {
        let mut world = World::new();
        world.says("TEST0001");
        for body in texts {
            world.says(&body);
            world.deliver_all();
        }
    }

    #[test]
    fn a_damaged_snapshot_is_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = domain::conversation::Conversation::decode(&bytes);
        let mut versioned = vec![domain::conversation::SNAPSHOT_VERSION];
        versioned.extend(bytes);
        let _ = domain::conversation::Conversation::decode(&versioned);
    }

    #[test]
    fn a_snapshot_of_the_version_before_is_read(words in "[a-z ]{0,40}") {
        let mut world = World::new();
        world.says(&words);
        let mut stored = world.state.encode().unwrap();
        // Version 1 ended before the followers, of whom there are none here.
        prop_assert_eq!(stored.pop(), Some(0));
        stored[0] = 1;
        prop_assert_eq!(domain::conversation::Conversation::decode(&stored).unwrap(), world.state);
    }

    /// The oracle checks after every input: free-form only while the window is open and the window is exactly 24
    /// hours, opted-out and silenced contacts never messaged, one POST per claim, statuses only forward, bounded
    /// state and effects, the stored form faithful, no timer that fires again at once.
    #[test]
    fn the_laws_hold_over_any_history(ops in histories()) {
        History::run(&ops);
    }

    #[test]
    fn the_same_history_has_the_same_outcome(ops in histories()) {
        let (one, two) = (History::run(&ops), History::run(&ops));
        prop_assert_eq!(one.world.state, two.world.state);
        prop_assert_eq!(one.all, two.all);
    }

    /// Each message and status comes twice in a row: the second time changes nothing.
    #[test]
    fn a_repetition_changes_nothing(ops in histories()) {
        let mut history = History::new();
        for op in &ops {
            let Some(input) = history.input(op) else { continue };
            history.apply(input);
            let Some(last) = history.last.take() else { continue };
            let before = history.world.state.clone();
            let effects = history.world.happens(last);
            prop_assert_eq!(&history.world.state, &before);
            // What this conversation never knew is passed on each time; the records know what it changes.
            let passed_on = effects.facts.iter().all(|fact| matches!(fact, Fact::StatusUnmatched { .. }));
            prop_assert!(passed_on);
            prop_assert_eq!(Effects { facts: Vec::new(), ..effects }, Effects::default());
        }
    }

    /// Whatever waits is sent or ends in the end, if the provider answers and time goes on.
    #[test]
    fn nothing_waits_for_ever(ops in histories()) {
        let mut history = History::run(&ops);
        history.world.number.enabled = true;
        history.world.judged(TemplateStatus::Approved, None);
        let input = history.command(Party::User(ANNA), Action::SetPaused(false));
        history.apply(Input::Happening(Box::new(input)));
        for _ in 0..3_000 {
            let Some(head) = history.world.state.queue.first() else { break };
            let message = head.id;
            let posted = history.posted.len();
            history.apply(Input::Claim { message });
            if history.posted.len() > posted {
                let provider_id = provider_id(message);
                history.apply(Input::Outcome { message, outcome: Outcome::Accepted { provider_id, recipient: None } });
            } else if let Some(at) = history.world.state.next_deadline() {
                history.world.now = history.world.now.max(at);
                history.apply(Input::Tick);
            }
        }
        prop_assert!(history.world.state.queue.is_empty());
    }
}
