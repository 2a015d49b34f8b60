//! Rows of the stores as callers see them.

use protocol::api::contact::ContactView;
use protocol::api::conversation::{ConversationView, FlowView};
use protocol::api::message::{AttemptView, Direction, ErrorView, MessageView, TextBody};
use protocol::api::show;
use protocol::command::Party;
use protocol::content::Channel;
use protocol::time::TimestampMs;
use store::records::{self, ContactRecord, ConversationRecord, MessageRecord};

use super::files;
use super::problem::window_view;

/// A conversation of the inbox.
pub(crate) fn conversation(row: ConversationRecord, now: TimestampMs) -> ConversationView {
    ConversationView {
        id: row.id,
        number_id: row.number,
        channel: row.channel,
        window: window_view(row.window_opened_at, row.window_expires_at, now),
        contact: contact(&row.contact, row.channel),
        mode: row.mode,
        flow: row.flow.map(|place| FlowView {
            id: place.id.to_string(),
            step: place.step.map(|step| step.to_string()),
        }),
        vacancy: row.vacancy,
        owner: row.owner,
        unread: row.unread,
        last_message_at: row.last_message.as_ref().map(|preview| preview.at),
        last_message: row.last_message.map(|preview| preview.text),
        blocked: row.blocked,
        left: row.left,
        paused: row.paused,
    }
}

/// A contact, with its consent on a channel.
pub(crate) fn contact(row: &ContactRecord, channel: Channel) -> ContactView {
    ContactView {
        id: row.id,
        phone: row.phone.map(|phone| phone.to_string()),
        bsuid: row.bsuid.as_ref().map(ToString::to_string),
        name: row.name().map(str::to_owned),
        username: row.username.as_ref().map(ToString::to_string),
        consent: row.consent(channel),
    }
}

/// A message of the history.
pub(crate) fn message(row: MessageRecord) -> MessageView {
    let shown = show::content(&row.content);
    MessageView {
        id: row.id,
        conversation_id: row.conversation,
        direction: match row.direction {
            records::Direction::Inbound => Direction::Inbound,
            records::Direction::Outbound => Direction::Outbound,
        },
        sender: show::sender(row.sender),
        kind: row.content.kind().to_owned(),
        text: shown.text.map(|body| TextBody { body }),
        template: shown.template,
        media: shown.media,
        attachment: row.attachment.as_ref().map(files::attachment),
        content: shown.other,
        at: row.at,
        status: row.status.map_or("received", |status| status.name()).to_owned(),
        provider_id: row.provider_id.map(|id| id.to_string()),
        errors: row
            .errors
            .into_iter()
            .map(|error| ErrorView { code: error.code, title: error.title, detail: error.detail })
            .collect(),
        attempts: row
            .attempts
            .into_iter()
            .map(|attempt| AttemptView { at: attempt.at, code: attempt.code, detail: attempt.detail })
            .collect(),
    }
}

/// Who did something, in one word: `user:usr_…`.
pub(crate) fn party(party: Party) -> String {
    let sender = show::sender(party);
    sender.id.map_or_else(|| sender.kind.clone(), |id| format!("{}:{id}", sender.kind))
}
