//! Consent of the contact on this channel: how it changes, and what follows at once.

use protocol::command::{Consent, ConsentRecord, ConsentSource, Party};
use protocol::content::{Channel, Content};
use protocol::entry::{ContactChange, PreferenceChange};
use protocol::fact::{Fact, NotificationKind};
use protocol::id::NumberId;

use super::outbound::{self, MARKETING_STOPPED, NewMessage};
use super::turn::Turn;
use super::{bot, flow};
use crate::consent::Keyword;

/// The contact wrote a keyword. The first refusal is confirmed, once; a repeated one changes nothing.
pub(super) fn by_keyword(turn: &mut Turn<'_>, keyword: Keyword, text: &str) {
    let consent = match keyword {
        Keyword::OptOut => Consent::OptedOut,
        Keyword::OptIn => Consent::OptedIn,
    };
    let record = ConsentRecord {
        consent,
        source: ConsentSource::Keyword,
        text: Some(text.to_owned()),
        by: Party::Contact,
        at: turn.now(),
    };
    let changed = set(turn, record);
    let silenced = turn.state.blocked || turn.state.left;
    if !changed || silenced || !turn.number_sends() || !turn.state.window_open(turn.now()) {
        return;
    }
    let texts = bot::texts(turn);
    let body = if consent == Consent::OptedOut { texts.opted_out } else { texts.opted_in };
    let message = NewMessage {
        confirms_opt_out: consent == Consent::OptedOut,
        ..NewMessage::automatic(Party::Gateway, Content::Text { body: body.to_owned() })
    };
    outbound::enqueue_if_room(turn, message);
}

/// The contact changed its preference at the provider. That undoes only what was refused there: a word of refusal
/// in the chat is undone by a word in the chat, or by a person.
pub(super) fn by_preference(turn: &mut Turn<'_>, change: &PreferenceChange) {
    let known = turn.state.consent.as_deref();
    if known.is_some_and(|record| record.source == ConsentSource::Provider && record.at >= change.at) {
        return;
    }
    let refused_there = known.is_some_and(|record| record.source == ConsentSource::Provider);
    let consent = match change.marketing_stopped {
        true => Consent::OptedOut,
        false if turn.state.consent() == Consent::OptedOut && refused_there => Consent::OptedIn,
        false => return,
    };
    let (text, at) = (change.detail.clone(), change.at.min(turn.now()));
    set(turn, ConsentRecord { consent, source: ConsentSource::Provider, text, by: Party::Contact, at });
}

/// Errors of sends tell that the contact stopped marketing messages at the provider.
pub(super) fn learn_from_errors(turn: &mut Turn<'_>, codes: &[i64]) {
    if codes.contains(&MARKETING_STOPPED) {
        let (source, by, at) = (ConsentSource::Provider, Party::Contact, turn.now());
        set(turn, ConsentRecord { consent: Consent::OptedOut, source, text: None, by, at });
    }
}

/// Changes the consent here and tells the tenant's other numbers of the channel. `false` if it was so already.
pub(super) fn set(turn: &mut Turn<'_>, record: ConsentRecord) -> bool {
    if turn.state.consent() == record.consent {
        return false;
    }
    let channel = turn.context.number.channel;
    let started = turn.state.started;
    turn.fact(if started {
        Fact::ConsentChanged { channel, record: record.clone() }
    } else {
        let address = &turn.state.address;
        let (contact, contact_id) = (address.contact.clone(), address.contact.contact_id(address.tenant));
        Fact::ConsentRecorded { channel, contact, contact_id, record: record.clone() }
    });
    tell_siblings(turn, &ContactChange::Consent(record.clone()));
    let refused = record.consent == Consent::OptedOut;
    hold(turn, record);
    if refused && started {
        turn.notify(NotificationKind::OptedOut, None);
    }
    true
}

/// A sibling conversation reports what the contact wants; the newest record counts, whatever order they come in.
pub(super) fn from_sibling(turn: &mut Turn<'_>, record: ConsentRecord) {
    if turn.state.consent.as_ref().is_none_or(|known| known.at < record.at) {
        hold(turn, record);
    }
}

fn hold(turn: &mut Turn<'_>, record: ConsentRecord) {
    let refused = record.consent == Consent::OptedOut;
    turn.state.consent = Some(Box::new(record));
    if refused {
        flow::abandon(turn);
        outbound::refuse_everything(turn);
    }
}

/// What holds for the contact holds on every number of the tenant on this channel.
pub(super) fn tell_siblings(turn: &mut Turn<'_>, change: &ContactChange) {
    let here = turn.context.number.id;
    let channel: Channel = turn.context.number.channel;
    let siblings: Vec<NumberId> = turn
        .context
        .tenant
        .numbers
        .values()
        .filter(|number| number.channel == channel && number.id != here)
        .map(|number| number.id)
        .collect();
    turn.effects.siblings.extend(siblings.into_iter().map(|number| (number, change.clone())));
}
