//! Cards and their people. A record may be pushed before its person writes: the conversation then gets owner and vacancy
//! of the card when it begins. And a record may be pushed under a name that only turns out later to be the person's, such
//! as the phone number of somebody who writes by a user id: the card then moves to the contact of the conversation.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use domain::market::dial;
use protocol::codec;
use protocol::command::{Action, Command, CommandKey, Party};
use protocol::entry::{Address, Entry, EntryBody, Happening, Identity};
use protocol::fact::Fact;
use protocol::id::{ContactId, ConversationId, TenantId};
use protocol::phone::ContactKey;
use protocol::shard::ShardId;
use protocol::time::{SpanMs, TimestampMs};
use store::records::{
    Advance, Change, ContactCard, ContactRecord, ConversationRecord, Filter, PageRequest, StoredEvent,
};

use super::Shared;
use super::follow::{Follower, Handler};
use super::supervised::{ConsumerError, ViewCell};
use crate::metrics::FollowerKind;

/// Its name.
pub(super) const NAME: &str = "cards";

/// A command that follows from a card holds for as long as its key is remembered. What happened before that stays as
/// people left it: this consumer begins with the oldest event when a store of an earlier version is opened.
const PATIENCE: SpanMs = SpanMs::hours(24);

/// Follows conversations as they begin, and names as they become known, until told to stop.
pub(super) async fn run(shared: Shared, view: ViewCell) -> Result<(), ConsumerError> {
    Follower::new(shared.clone(), Cards { shared }).await?.run(&view).await
}

/// Brings cards and conversations together.
pub(super) struct Cards {
    pub(super) shared: Shared,
}

/// A conversation that began, or whose contact has names by which a card may be known.
struct Met<'a> {
    stored: &'a StoredEvent,
    tenant: TenantId,
    conversation: ConversationId,
    /// Contacts of whom there may be a card.
    maybe: Vec<ContactId>,
}

/// What follows from a batch.
struct Follows {
    now: TimestampMs,
    entries: Vec<(ShardId, Bytes)>,
    moves: Vec<(TenantId, (ContactId, ContactId))>,
}

impl Handler for Cards {
    const NAME: &'static str = NAME;
    const KIND: FollowerKind = FollowerKind::Cards;

    async fn handle(&mut self, events: &[StoredEvent], advance: Advance) -> Result<(), ConsumerError> {
        let options = &self.shared.options;
        let mut met: Vec<_> = events.iter().filter_map(meet).collect();
        if !met.is_empty() {
            let change = Change { by: Party::Gateway, at: options.engine.now().await? };
            met.retain(|met| met.stored.event.at + PATIENCE > change.at);
            let follows = self.follows(met, change.at).await?;
            // Before the card moves, since nobody would know of it afterwards. With the same keys again it changes
            // nothing.
            if !follows.entries.is_empty() {
                options.engine.append(follows.entries).await?;
            }
            for (tenant, between) in follows.moves {
                options.records.move_card(change, tenant, between).await?;
            }
        }
        options.records.advance(advance).await?;
        Ok(())
    }
}

fn meet(stored: &StoredEvent) -> Option<Met<'_>> {
    let (tenant, conversation) = (stored.event.tenant?, stored.event.conversation?);
    let maybe = match &stored.event.fact {
        Fact::ConversationStarted { contact, contact_id, .. } => {
            let others = keys(contact.phone(), None).map(|key| key.contact_id(tenant));
            std::iter::once(*contact_id).chain(others).collect()
        }
        Fact::ContactIdentified(Identity { phone, bsuid, .. }) => {
            let bsuid = bsuid.clone().map(ContactKey::Bsuid);
            keys(*phone, bsuid).map(|key| key.contact_id(tenant)).collect()
        }
        _ => return None,
    };
    Some(Met { stored, tenant, conversation, maybe })
}

/// What a contact may be known by.
fn keys(phone: Option<protocol::phone::E164>, bsuid: Option<ContactKey>) -> impl Iterator<Item = ContactKey> {
    let writings = [phone, phone.and_then(dial::other_writing)];
    writings.into_iter().flatten().map(ContactKey::Phone).chain(bsuid)
}

impl Cards {
    async fn follows(&self, met: Vec<Met<'_>>, now: TimestampMs) -> Result<Follows, ConsumerError> {
        let records = &self.shared.options.records;
        let mut follows = Follows { now, entries: Vec::new(), moves: Vec::new() };
        let wanted: BTreeSet<_> = met.iter().flat_map(|met| met.maybe.iter().copied()).collect();
        if wanted.is_empty() {
            return Ok(follows);
        }
        let cards = records.cards(wanted.into_iter().collect()).await?;
        let cards: BTreeMap<_, _> =
            cards.into_iter().map(|(tenant, id, card)| ((tenant, id), card)).collect();
        for met in met {
            let of_them = met.maybe.iter().filter_map(|id| Some((*id, cards.get(&(met.tenant, *id))?)));
            let own: Vec<_> = of_them.collect();
            if own.is_empty() {
                continue;
            }
            let Some(row) = records.conversation(met.tenant, met.conversation).await? else { continue };
            for (id, card) in own {
                self.bring(&met, &row, (id, card), &mut follows).await?;
            }
        }
        Ok(follows)
    }

    /// What a conversation has to hear of a card.
    async fn bring(
        &self,
        met: &Met<'_>,
        row: &ConversationRecord,
        (id, card): (ContactId, &ContactCard),
        follows: &mut Follows,
    ) -> Result<(), ConsumerError> {
        let mut actions = Vec::new();
        if id != row.contact.id {
            let records = &self.shared.options.records;
            let page = records.conversations(met.tenant, Filter::Contact(id), PageRequest::first(1)).await?;
            let (Some(from), true) = (records.contact(met.tenant, id).await?, page.data.is_empty()) else {
                return Ok(());
            };
            let to = records.contact(met.tenant, row.contact.id).await?;
            actions.extend(consents(row, &from, to.as_ref()));
            follows.moves.push((met.tenant, (id, row.contact.id)));
        } else if !matches!(met.stored.event.fact, Fact::ConversationStarted { .. }) {
            return Ok(());
        }
        actions.extend(self.of_card(card, row));
        for (what, action) in actions {
            let key = CommandKey::new(met.tenant, &format!("card\n{}\n{id}\n{what}", met.stored.event.id));
            follows.entries.push(self.entry(met, row, (key, action), follows.now)?);
        }
        Ok(())
    }

    /// What people at the tenant have decided for the conversation stays.
    fn of_card(&self, card: &ContactCard, row: &ConversationRecord) -> Vec<(&'static str, Action)> {
        let directory = self.shared.options.directory.load();
        let number = directory.tenants.get(&row.tenant).and_then(|tenant| tenant.numbers.get(&row.number));
        let of_strangers = number.and_then(|number| number.unknown_sender.assign.as_ref());
        let owner = card.owner.clone().filter(|_| row.owner.is_none() || row.owner.as_ref() == of_strangers);
        let vacancy = card.vacancy.clone().filter(|_| row.vacancy.is_none());
        let owner = owner.map(|owner| ("owner", Action::Assign(Some(owner))));
        owner
            .into_iter()
            .chain(vacancy.map(|vacancy| ("vacancy", Action::SetVacancy(Some(vacancy)))))
            .collect()
    }

    fn entry(
        &self,
        met: &Met<'_>,
        row: &ConversationRecord,
        (key, action): (CommandKey, Action),
        now: TimestampMs,
    ) -> Result<(ShardId, Bytes), ConsumerError> {
        let command = Command {
            key,
            fingerprint: 0,
            by: Party::Gateway,
            expires_at: met.stored.event.at + PATIENCE,
            action,
        };
        let (tenant, number, contact) = (row.tenant, row.number, row.contact.key.clone());
        let address = Address { tenant, number, contact, conversation: row.id };
        let shard = self.shared.options.engine.identity().shards.shard_of(address.conversation);
        let body = EntryBody::Conversation { address, input: Box::new(Happening::Command(command)) };
        let entry = Entry { received_at: now, traceparent: met.stored.event.traceparent.clone(), body };
        let bytes = codec::encode(&entry).map_err(|error| ConsumerError::Encode(error.into()))?;
        Ok((shard, bytes))
    }
}

/// What somebody consented to, or refused, under the name of the card, unless there is a newer word.
fn consents(
    row: &ConversationRecord,
    from: &ContactRecord,
    to: Option<&ContactRecord>,
) -> Option<(&'static str, Action)> {
    let on_channel = |contact: &ContactRecord| {
        contact.consents.iter().find(|entry| entry.channel == row.channel).map(|entry| entry.record.clone())
    };
    let (word, known) = (on_channel(from)?, to.and_then(on_channel));
    known.is_none_or(|known| known.at < word.at).then_some(("consent", Action::SetConsent(word)))
}
