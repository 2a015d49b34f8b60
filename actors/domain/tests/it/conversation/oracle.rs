//! What must hold after every input, told apart from the code that is tested: a few plain variables that a reader
//! can check by eye.

use std::collections::BTreeMap;

use domain::conversation::{Conversation, Effects, Input, Offer};
use domain::limits::{PARKED, QUEUE, RECENT, SEEN_HALF};
use protocol::command::{Action, CommandResult, Consent};
use protocol::content::Content;
use protocol::entry::Happening;
use protocol::fact::{Fact, MessageStatus};
use protocol::id::MessageId;
use protocol::outbound::Outcome;
use protocol::time::{SpanMs, TimestampMs};

/// The world as far as the laws need it.
#[derive(Default)]
pub(crate) struct Oracle {
    /// When the window closes: 24 hours after the newest message that was ever seen.
    open_until: TimestampMs,
    opted_out: bool,
    blocked: bool,
    left: bool,
    /// Messages that confirm an opt-out.
    confirmations: Vec<MessageId>,
    /// Posts that were not answered by "not taken".
    posted: BTreeMap<MessageId, bool>,
    statuses: BTreeMap<MessageId, MessageStatus>,
}

impl Oracle {
    /// Takes note of an input before it is applied.
    pub(crate) fn before(&mut self, now: TimestampMs, input: &Input, state: &Conversation) {
        match input {
            Input::Happening(happening) => self.happens(now, happening, state),
            Input::Outcome { message, outcome } => {
                let taken = outcome.is_taken() || matches!(outcome, Outcome::InDoubt { .. });
                let under_way =
                    state.queue.first().is_some_and(|head| head.id == *message && head.is_claimed());
                if !taken && under_way {
                    self.posted.remove(message);
                }
            }
            Input::Tick | Input::Recover | Input::Claim { .. } => {}
        }
    }

    fn happens(&mut self, now: TimestampMs, happening: &Happening, state: &Conversation) {
        let Happening::Received(message) = happening else { return };
        if state.seen_lookup(happening).is_none() {
            self.open_until = self.open_until.max(message.sent_at.min(now) + SpanMs::hours(24));
        }
    }

    /// Checks what followed.
    pub(crate) fn after(&mut self, now: TimestampMs, input: &Input, state: &Conversation, effects: &Effects) {
        self.learn(input, effects);
        self.check_posts(now, input, effects);
        self.check_statuses(effects);
        check_bounds(state, effects);
        check_shape(now, input, state, effects);
        assert_eq!(state.window_open(now), now < self.open_until, "the window is exactly 24 hours");
    }

    fn learn(&mut self, input: &Input, effects: &Effects) {
        if let Input::Happening(happening) = input
            && let Happening::Command(command) = happening.as_ref()
            && matches!(effects.result, Some(CommandResult::Done { .. }))
        {
            match command.action {
                Action::SetBlocked(blocked) => self.blocked = blocked,
                Action::SetLeft(left) => self.left = left,
                _ => {}
            }
        }
        for fact in &effects.facts {
            if let Fact::ConsentChanged { record, .. } = fact {
                self.opted_out = record.consent == Consent::OptedOut;
                self.confirmations.clear();
            }
        }
        let confirms =
            effects.facts.iter().any(|fact| matches!(fact, Fact::ConsentChanged { .. })) && self.opted_out;
        for fact in &effects.facts {
            if let Fact::ApprovalAwaited { message, .. } = fact {
                assert!(
                    !self.opted_out && !self.blocked && !self.left,
                    "nothing waits for a silenced contact"
                );
                let first = self.statuses.insert(*message, MessageStatus::AwaitingApproval);
                assert_eq!(first, None, "an id is used once");
            }
            if let Fact::MessageQueued { message, .. } = fact {
                if confirms {
                    self.confirmations.push(*message);
                } else {
                    assert!(!self.opted_out, "nothing is accepted for an opted-out contact");
                }
                assert!(!self.blocked && !self.left, "nothing is accepted for a silenced contact");
                assert_eq!(self.statuses.insert(*message, MessageStatus::Queued), None, "an id is used once");
            }
        }
        assert!(self.confirmations.len() <= 1, "an opt-out is confirmed once");
    }

    fn check_posts(&mut self, now: TimestampMs, input: &Input, effects: &Effects) {
        for post in &effects.posts {
            let Input::Claim { message } = input else { panic!("a post without a claim") };
            assert_eq!(post.message, *message, "the post is the one that was claimed");
            let template = matches!(post.content, Content::Template(_));
            assert!(template || now < self.open_until, "free-form after the window closed");
            assert!(!self.opted_out || self.confirmations.contains(message), "to an opted-out contact");
            assert!(!self.blocked && !self.left, "to a silenced contact");
            assert_eq!(self.posted.insert(*message, true), None, "posted twice");
        }
    }

    fn check_statuses(&mut self, effects: &Effects) {
        for fact in &effects.facts {
            if let Fact::StatusChanged { message, status, .. } = fact
                && let Some(before) = self.statuses.insert(*message, *status)
            {
                assert!(before.rank() <= status.rank(), "{before:?} became {status:?}");
            }
        }
    }
}

fn check_bounds(state: &Conversation, effects: &Effects) {
    assert!(state.queue.len() <= QUEUE && state.recent.len() <= RECENT && state.parked.len() <= PARKED);
    assert!(effects.posts.len() <= 1 && effects.offers.len() <= 1 && effects.forgotten.len() <= SEEN_HALF);
    assert!(effects.facts.len() <= 2 * QUEUE, "{} facts", effects.facts.len());
    assert!(effects.siblings.len() <= 1 && effects.aliases.len() <= 2);
}

fn check_shape(now: TimestampMs, input: &Input, state: &Conversation, effects: &Effects) {
    let claimed = state.queue.iter().filter(|message| message.is_claimed()).count();
    assert!(claimed <= 1, "one is under way at a time");
    assert!(claimed == 0 || state.queue[0].is_claimed(), "and it is the first");
    for Offer { message } in &effects.offers {
        assert_eq!(state.queue.first().map(|head| head.id), Some(*message), "only the first is offered");
    }
    if matches!(input, Input::Tick) {
        assert!(state.next_deadline().is_none_or(|at| at > now), "a timer that fires again at once");
    }
    let is_command =
        matches!(input, Input::Happening(happening) if matches!(**happening, Happening::Command(_)));
    assert_eq!(effects.result.is_some(), is_command, "each command has one result");
    let bytes = state.encode().unwrap();
    assert_eq!(&Conversation::decode(&bytes).unwrap(), state, "the stored form is the state");
}
