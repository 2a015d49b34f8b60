//! Events without the person: what billing and audit need stays, names and words do not.

use protocol::content::{Content, ProviderError, Referral};
use protocol::entry::{CallEvent, Identity};
use protocol::fact::{Answer, Event, Fact};
use protocol::id::ProviderId;
use protocol::outbound::Attempt;
use protocol::phone::ContactKey;

use crate::market;

/// The event as it is kept once its contact is erased. Doing it again changes nothing.
#[must_use]
pub fn redacted(event: Event) -> Event {
    Event { traceparent: None, fact: fact(event.fact), ..event }
}

fn fact(fact: Fact) -> Fact {
    match fact {
        Fact::ConversationStarted { number, channel, contact, contact_id, by_contact } => {
            Fact::ConversationStarted { number, channel, contact: nobody(&contact), contact_id, by_contact }
        }
        Fact::ContactIdentified(_) => Fact::ContactIdentified(Identity::default()),
        Fact::ConsentChanged { channel, mut record } => {
            record.text = None;
            Fact::ConsentChanged { channel, record }
        }
        Fact::ConsentRecorded { channel, contact, contact_id, mut record } => {
            record.text = None;
            Fact::ConsentRecorded { channel, contact: nobody(&contact), contact_id, record }
        }
        Fact::FlowAnswered { flow, step, .. } => Fact::FlowAnswered { flow, step, answer: Answer::Skipped },
        Fact::FlowCompleted { flow, version, vacancy, .. } => {
            Fact::FlowCompleted { flow, version, answers: Vec::new(), vacancy }
        }
        Fact::Call(call) => Fact::Call(CallEvent { call_id: no_id(), identity: Identity::default(), ..call }),
        Fact::MessageReceived { .. }
        | Fact::MessageQueued { .. }
        | Fact::ApprovalAwaited { .. }
        | Fact::AttemptFailed { .. }
        | Fact::StatusChanged { .. }
        | Fact::StatusUnmatched { .. } => message(fact),
        // About the tenant's own decisions, or nothing that tells who the person is.
        Fact::CommandRefused { .. }
        | Fact::WindowClosingSoon { .. }
        | Fact::WindowClosed { .. }
        | Fact::ModeChanged { .. }
        | Fact::FlowStarted { .. }
        | Fact::FlowAsked { .. }
        | Fact::FlowReminded { .. }
        | Fact::FlowAbandoned { .. }
        | Fact::BlockChanged { .. }
        | Fact::LeftChanged { .. }
        | Fact::OwnerChanged { .. }
        | Fact::FollowChanged { .. }
        | Fact::VacancyChanged { .. }
        | Fact::ConversationRead { .. }
        | Fact::PauseChanged { .. }
        | Fact::Notify { .. }
        | Fact::Account(_)
        | Fact::DeadLettered { .. }
        | Fact::ContactErased { .. }
        | Fact::CreditsLow { .. }
        | Fact::RechargeAsked { .. }
        | Fact::RechargeHeldBack { .. }
        | Fact::RechargeEnded { .. } => fact,
    }
}

/// WhatsApp's ids of messages have the phone number in them.
fn message(fact: Fact) -> Fact {
    match fact {
        Fact::MessageReceived {
            message, sent_at, referral, window_expires_at, blocked, for_inbox, ..
        } => Fact::MessageReceived {
            message,
            provider_id: no_id(),
            sent_at,
            content: Content::Erased,
            reply_to: None,
            referral: referral.map(blank),
            window_expires_at,
            blocked,
            for_inbox,
        },
        Fact::MessageQueued { message, by, category, .. } => {
            Fact::MessageQueued { message, by, content: Content::Erased, category, reply_to: None }
        }
        Fact::ApprovalAwaited { message, by, category, language, account, expires_at, .. } => {
            Fact::ApprovalAwaited {
                message,
                by,
                content: Content::Erased,
                category,
                reply_to: None,
                language,
                account,
                expires_at,
            }
        }
        Fact::AttemptFailed { message, attempt, retry_at } => {
            Fact::AttemptFailed { message, attempt: Attempt { detail: String::new(), ..attempt }, retry_at }
        }
        Fact::StatusChanged {
            message, status, at, category, template, pricing, errors, queued_at, ..
        } => Fact::StatusChanged {
            message,
            status,
            at,
            provider_id: None,
            category,
            template,
            pricing,
            errors: without_details(errors),
            queued_at,
        },
        Fact::StatusUnmatched { message, status, at, pricing, errors, .. } => Fact::StatusUnmatched {
            provider_id: no_id(),
            message,
            status,
            at,
            pricing,
            errors: without_details(errors),
        },
        other => other,
    }
}

/// The country stays: prices follow it.
fn nobody(contact: &ContactKey) -> ContactKey {
    ContactKey::nobody(market::of_contact(contact).as_deref())
}

fn no_id() -> ProviderId {
    ProviderId::new("")
}

/// That there was one decides what a conversation cost.
fn blank(referral: Referral) -> Referral {
    Referral { source_id: None, source_url: None, headline: None, ctwa_clid: None, ..referral }
}

fn without_details(errors: Vec<ProviderError>) -> Vec<ProviderError> {
    errors.into_iter().map(|error| ProviderError { detail: None, ..error }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::command::{Consent, ConsentRecord, ConsentSource, Party};
    use protocol::content::{Category, Channel};
    use protocol::fact::MessageStatus;
    use protocol::id::{Bsuid, ContactId, EventId, FlowId, MessageId, NumberId};
    use protocol::phone::E164;
    use protocol::time::TimestampMs;

    const AT: TimestampMs = TimestampMs(1);

    fn wamid() -> ProviderId {
        ProviderId::new("wamid.393331234567")
    }

    fn identity() -> Identity {
        Identity {
            phone: E164::parse("+393331234567").ok(),
            bsuid: Some(Bsuid::new("IT.393331234567")),
            username: Some("Anna".into()),
            profile_name: Some("Anna".into()),
        }
    }

    fn messages() -> Vec<Fact> {
        let (message, by) = (MessageId(2), Party::Contact);
        let text = Content::Text { body: "393331234567 Anna".into() };
        let error =
            ProviderError { code: 131_026, title: "undeliverable".into(), detail: Some("Anna".into()) };
        let (category, reply_to) = (Category::Service, Some(wamid()));
        let referral = Referral {
            source_type: "ad".into(),
            source_id: Some("Anna".into()),
            source_url: None,
            headline: None,
            ctwa_clid: Some("Anna".into()),
        };
        vec![
            Fact::MessageReceived {
                message,
                provider_id: wamid(),
                sent_at: AT,
                content: text.clone(),
                reply_to: Some(wamid()),
                referral: Some(referral),
                window_expires_at: AT,
                blocked: false,
                for_inbox: true,
            },
            Fact::MessageQueued { message, by, content: text, category, reply_to },
            Fact::AttemptFailed {
                message,
                attempt: Attempt { at: AT, code: None, detail: "Anna".into() },
                retry_at: None,
            },
            Fact::StatusChanged {
                message,
                status: MessageStatus::Failed,
                at: AT,
                provider_id: Some(wamid()),
                category,
                template: false,
                pricing: None,
                errors: vec![error.clone()],
                queued_at: AT,
            },
            Fact::StatusUnmatched {
                provider_id: wamid(),
                message: Some(message),
                status: protocol::entry::ProviderStatus::Failed,
                at: AT,
                pricing: None,
                errors: vec![error],
            },
        ]
    }

    fn others() -> Vec<Fact> {
        let (contact_id, channel) = (ContactId(1), Channel::Whatsapp);
        let contact = ContactKey::Phone(E164::parse("+393331234567").unwrap());
        let record = ConsentRecord {
            consent: Consent::OptedOut,
            source: ConsentSource::Keyword,
            text: Some("stop, Anna".into()),
            by: Party::Contact,
            at: AT,
        };
        let (flow, answer) = (FlowId::new("TEST0001"), Answer::Text("Anna".into()));
        let (number, by_contact) = (NumberId(1), true);
        vec![
            Fact::ConversationStarted { number, channel, contact: contact.clone(), contact_id, by_contact },
            Fact::ContactIdentified(identity()),
            Fact::FlowAnswered { flow: flow.clone(), step: "name".into(), answer: answer.clone() },
            Fact::FlowCompleted { flow, version: 1, answers: vec![("name".into(), answer)], vacancy: None },
            Fact::ConsentChanged { channel, record: record.clone() },
            Fact::ConsentRecorded { channel, contact, contact_id, record },
            Fact::Call(CallEvent {
                call_id: wamid(),
                at: AT,
                event: "connect".into(),
                by_contact,
                duration_seconds: None,
                identity: identity(),
            }),
        ]
    }

    #[test]
    fn d14_a_redacted_event_says_nothing_about_the_person() {
        for fact in messages().into_iter().chain(others()) {
            let event = Event {
                id: EventId(1),
                at: AT,
                traceparent: Some("00-1-1-01".into()),
                tenant: None,
                conversation: None,
                fact,
            };
            let once = redacted(event.clone());
            let told = format!("{once:?}");
            for words in ["Anna", "393331234567", "+39…67"] {
                assert!(!told.contains(words), "{told}");
            }
            assert_eq!((once.id, once.at, once.fact.name()), (event.id, event.at, event.fact.name()));
            assert_eq!(redacted(once.clone()), once);
        }
    }

    #[test]
    fn d14_the_market_of_an_erased_contact_is_still_known() {
        let anna = ContactKey::Phone(E164::parse("+393331234567").unwrap());
        let gone = nobody(&anna);
        assert!(!gone.names_somebody() && anna.names_somebody());
        assert_eq!(market::of_contact(&gone), market::of_contact(&anna));
        assert_eq!(nobody(&gone), gone);
    }
}
