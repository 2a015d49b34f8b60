//! The `data` of events: facts in the words of the API. Facts are stored and cannot change; this is what others
//! build on, so names here are those of messages and conversations.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::message::ErrorView;
use super::show;
use crate::content::{Content, ProviderError};
use crate::entry::{AccountNotice, CallEvent, Identity, Notice};
use crate::fact::{Answer, Fact};
use crate::phone::ContactKey;

/// The details of an event, by name.
#[must_use]
pub fn data(fact: &Fact) -> Value {
    match fact {
        Fact::ConversationStarted { number, channel, contact, contact_id, by_contact } => json!({
            "number_id": number, "channel": channel, "by_contact": by_contact,
            "contact": contact_of(contact, contact_id),
        }),
        Fact::ContactIdentified(identity) => names(identity),
        Fact::ConsentChanged { channel, record } => {
            json!({ "channel": channel, "consent": record.consent, "source": record.source, "text": record.text,
                    "by": show::sender(record.by), "at": record.at })
        }
        Fact::ConsentRecorded { channel, contact, contact_id, record } => {
            json!({ "channel": channel, "consent": record.consent, "source": record.source, "text": record.text,
                    "by": show::sender(record.by), "at": record.at, "contact": contact_of(contact, contact_id) })
        }
        Fact::MessageReceived { .. }
        | Fact::MessageQueued { .. }
        | Fact::ApprovalAwaited { .. }
        | Fact::AttemptFailed { .. }
        | Fact::StatusChanged { .. }
        | Fact::StatusUnmatched { .. } => message(fact),
        Fact::FlowStarted { .. }
        | Fact::FlowAsked { .. }
        | Fact::FlowAnswered { .. }
        | Fact::FlowReminded { .. }
        | Fact::FlowCompleted { .. }
        | Fact::FlowAbandoned { .. } => flow(fact),
        Fact::Call(call) => called(call),
        Fact::Account(account) => noticed(account),
        Fact::CreditsLow { .. }
        | Fact::RechargeAsked { .. }
        | Fact::RechargeHeldBack { .. }
        | Fact::RechargeEnded { .. } => credits(fact),
        _ => conversation(fact),
    }
}

/// What people and the gateway do with a conversation.
fn conversation(fact: &Fact) -> Value {
    match fact {
        Fact::CommandRefused { by, action, refusal } => {
            json!({ "by": show::sender(*by), "action": action, "code": refusal.code() })
        }
        Fact::WindowClosingSoon { expires_at } => json!({ "expires_at": expires_at }),
        Fact::WindowClosed { expired_at } => json!({ "expired_at": expired_at }),
        Fact::ModeChanged { mode, by } => json!({ "mode": mode, "by": show::sender(*by) }),
        Fact::BlockChanged { blocked, by } => json!({ "blocked": blocked, "by": show::sender(*by) }),
        Fact::LeftChanged { left, by } => json!({ "left": left, "by": show::sender(*by) }),
        Fact::OwnerChanged { owner, by } => json!({ "owner": owner, "by": show::sender(*by) }),
        Fact::VacancyChanged { vacancy, by } => json!({ "vacancy": vacancy, "by": show::sender(*by) }),
        Fact::ConversationRead { by } => json!({ "by": show::sender(*by) }),
        Fact::PauseChanged { paused, by } => json!({ "paused": paused, "by": show::sender(*by) }),
        Fact::Notify { owner, about, message } => {
            json!({ "owner": owner, "about": about, "message_id": message })
        }
        Fact::DeadLettered { reason } => json!({ "reason": reason }),
        Fact::FollowChanged { user, following, by } => {
            json!({ "user_id": user, "following": following, "by": show::sender(*by) })
        }
        Fact::ContactErased { channel, contact_id, by, .. } => {
            json!({ "channel": channel, "contact_id": contact_id, "by": show::sender(*by) })
        }
        _ => Value::Null,
    }
}

/// What a tenant has paid in advance.
fn credits(fact: &Fact) -> Value {
    match fact {
        Fact::CreditsLow { available, below } => json!({ "available": available, "below": below }),
        Fact::RechargeAsked { recharge, amount, available, below } => json!({
            "recharge_id": recharge, "amount": amount, "available": available, "minimum_balance": below,
        }),
        Fact::RechargeHeldBack { amount, available, asked, limit } => json!({
            "amount": amount, "available": available, "asked_this_month": asked, "monthly_limit": limit,
        }),
        Fact::RechargeEnded { recharge, state, amount, detail } => json!({
            "recharge_id": recharge, "state": state, "amount": amount, "detail": detail,
        }),
        _ => Value::Null,
    }
}

fn message(fact: &Fact) -> Value {
    match fact {
        Fact::MessageReceived {
            message,
            provider_id,
            sent_at,
            content,
            reply_to,
            referral,
            window_expires_at,
            blocked,
            for_inbox,
        } => said(
            content,
            json!({
                "message_id": message, "provider_id": provider_id, "sent_at": sent_at, "reply_to": reply_to,
                "referral": referral, "window_expires_at": window_expires_at, "blocked": blocked,
                "for_inbox": for_inbox,
            }),
        ),
        Fact::MessageQueued { message, by, content, category, reply_to } => said(
            content,
            json!({ "message_id": message, "sender": show::sender(*by), "category": category, "reply_to": reply_to }),
        ),
        Fact::ApprovalAwaited { message, by, content, category, reply_to, language, expires_at, .. } => said(
            content,
            json!({ "message_id": message, "sender": show::sender(*by), "category": category,
                    "reply_to": reply_to, "language": language, "expires_at": expires_at }),
        ),
        Fact::AttemptFailed { message, attempt, retry_at } => json!({
            "message_id": message, "retry_at": retry_at,
            "attempt": { "at": attempt.at, "code": attempt.code, "detail": attempt.detail },
        }),
        Fact::StatusChanged {
            message,
            status,
            at,
            provider_id,
            category,
            template,
            pricing,
            errors,
            queued_at,
        } => {
            json!({
                "message_id": message, "status": status, "at": at, "provider_id": provider_id,
                "category": category, "template": template, "pricing": pricing, "errors": failures(errors),
                "queued_at": queued_at,
            })
        }
        Fact::StatusUnmatched { provider_id, message, status, at, pricing, errors } => json!({
            "message_id": message, "status": status, "at": at, "provider_id": provider_id, "pricing": pricing,
            "errors": failures(errors),
        }),
        _ => Value::Null,
    }
}

fn flow(fact: &Fact) -> Value {
    match fact {
        Fact::FlowStarted { flow, version } => json!({ "flow": flow, "version": version }),
        Fact::FlowAsked { flow, step } | Fact::FlowReminded { flow, step } => {
            json!({ "flow": flow, "step": step })
        }
        Fact::FlowAnswered { flow, step, answer } => {
            json!({ "flow": flow, "answer": answered(step, answer) })
        }
        Fact::FlowCompleted { flow, version, answers, vacancy } => json!({
            "flow": flow, "version": version, "vacancy": vacancy,
            "answers": answers.iter().map(|(step, answer)| answered(step, answer)).collect::<Vec<_>>(),
        }),
        Fact::FlowAbandoned { flow } => json!({ "flow": flow }),
        _ => Value::Null,
    }
}

/// One answer of an application: the step, the kind of answer and its value.
fn answered(step: &str, answer: &Answer) -> Value {
    let (kind, value) = match answer {
        Answer::Text(text) => ("text", json!(text)),
        Answer::Number(number) => ("number", json!(number)),
        Answer::Consent(agreed) => ("consent", json!(agreed)),
        Answer::File(file) => ("file", json!(show::media(file))),
        Answer::Location(latitude, longitude) => {
            ("location", json!({ "latitude": latitude, "longitude": longitude }))
        }
        Answer::Skipped => ("skipped", Value::Null),
    };
    json!({ "step": step, "type": kind, "value": value })
}

/// What a message says, in the fields that messages have, and more.
fn said(content: &Content, more: Value) -> Value {
    let shown = show::content(content);
    let mut fields = Map::new();
    fields.insert("type".to_owned(), json!(content.kind()));
    if let Some(text) = shown.text {
        fields.insert("text".to_owned(), json!({ "body": text }));
    }
    put(&mut fields, "template", shown.template);
    put(&mut fields, "media", shown.media);
    put(&mut fields, "content", shown.other);
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    Value::Object(fields)
}

fn put(fields: &mut Map<String, Value>, name: &str, value: Option<impl Serialize>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), json!(value));
    }
}

fn contact_of(key: &ContactKey, id: &impl Serialize) -> Value {
    let (phone, bsuid) = match key {
        ContactKey::Phone(phone) => (Some(phone), None),
        ContactKey::Bsuid(bsuid) => (None, Some(bsuid)),
    };
    json!({ "id": id, "phone": phone, "bsuid": bsuid })
}

fn names(identity: &Identity) -> Value {
    json!({ "phone": identity.phone, "bsuid": identity.bsuid, "username": identity.username,
            "name": identity.profile_name })
}

fn called(call: &CallEvent) -> Value {
    json!({ "call_id": call.call_id, "at": call.at, "event": call.event, "by_contact": call.by_contact,
            "duration_seconds": call.duration_seconds, "contact": names(&call.identity) })
}

fn failures(errors: &[ProviderError]) -> Vec<ErrorView> {
    let view = |error: &ProviderError| ErrorView {
        code: error.code,
        title: error.title.clone(),
        detail: error.detail.clone(),
    };
    errors.iter().map(view).collect()
}

fn noticed(account: &AccountNotice) -> Value {
    let notice = match &account.notice {
        Notice::TemplateStatus { template_id, name, language, event, reason } => json!({
            "type": "template_status", "template_id": template_id, "name": name, "language": language,
            "event": event, "reason": reason,
        }),
        Notice::TemplateQuality { name, language, score } => {
            json!({ "type": "template_quality", "name": name, "language": language, "score": score })
        }
        Notice::TemplateCategory { name, language, category } => {
            json!({ "type": "template_category", "name": name, "language": language, "category": category })
        }
        Notice::TemplateComponents { name, language, body } => {
            json!({ "type": "template_components", "name": name, "language": language, "body": body })
        }
        Notice::Other { field, raw } => json!({ "type": "other", "field": field, "raw": show::raw(&raw.0) }),
        Notice::Unknown { field, reason, raw } => {
            json!({ "type": "unknown", "field": field, "reason": reason, "raw": show::raw(&raw.0) })
        }
    };
    json!({ "waba_id": account.waba, "number_id": account.number, "at": account.at, "notice": notice })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Party, Refusal};
    use crate::content::{Media, MediaKind, MediaSource};
    use crate::id::{FlowId, MediaId, MessageId, UserId};

    fn cv() -> Media {
        Media {
            kind: MediaKind::Document,
            source: MediaSource::Provider(MediaId::new("media.1")),
            mime_type: None,
            sha256: None,
            filename: Some("cv.pdf".into()),
            caption: None,
            voice: false,
        }
    }

    #[test]
    fn a8_a_finished_application_tells_every_answer_in_the_order_of_the_steps() {
        let answers = vec![
            ("name".into(), Answer::Text("Giulia".into())),
            ("cv".into(), Answer::File(cv())),
            ("place".into(), Answer::Skipped),
        ];
        let fact = Fact::FlowCompleted { flow: FlowId::new("TEST0001"), version: 2, answers, vacancy: None };
        assert_eq!(
            data(&fact)["answers"],
            json!([
                { "step": "name", "type": "text", "value": "Giulia" },
                { "step": "cv", "type": "file",
                  "value": { "kind": "document", "provider_media_id": "media.1", "filename": "cv.pdf" } },
                { "step": "place", "type": "skipped", "value": null },
            ])
        );
    }

    #[test]
    fn events_use_the_words_of_messages() {
        let by = Party::User(UserId(7));
        let fact = Fact::MessageQueued {
            message: MessageId(1),
            by,
            content: Content::Text { body: "Ciao".into() },
            category: crate::content::Category::Service,
            reply_to: None,
        };
        let shown = data(&fact);
        assert_eq!((&shown["type"], &shown["text"]), (&json!("text"), &json!({ "body": "Ciao" })), "{shown}");
        assert_eq!(shown["sender"], json!({ "kind": "user", "id": UserId(7) }));
        let refused = Fact::CommandRefused { by, action: "send".into(), refusal: Refusal::Blocked };
        assert_eq!(data(&refused)["code"], "blocked");
    }
}
