//! What is known of a record, for merge fields.

use compact_str::{CompactString, format_compact};
use domain::directory::TenantDirectory;
use domain::template::merge::Known;
use protocol::command::Owner;
use protocol::entry::Address;
use protocol::id::{ContactId, UserId};
use protocol::phone::ContactKey;
use store::records::{ContactCard, ContactRecord};

use super::auth::Caller;
use super::problem::ApiResult;
use crate::state::AppState;

/// Both kinds of records are filled alike: a text may call the person either.
const PERSON: [&str; 2] = ["candidate", "contact"];

/// The values of every merge field for a contact, and for whoever asks.
pub(crate) async fn known(state: &AppState, caller: &Caller, contact: Option<ContactId>) -> ApiResult<Known> {
    let tenant = super::known::tenant(state, caller)?;
    let mut known = Known::new();
    put(&mut known, "organisation", "name", Some(tenant.tenant.name.to_string()));
    let (mut owner, row) = (
        None,
        match contact {
            Some(id) => state.records.contact(caller.tenant, id).await?,
            None => None,
        },
    );
    if let Some(row) = row {
        let card = state.records.contact_card(caller.tenant, row.id).await?.map(|(_, card)| card);
        let card = card.unwrap_or_default();
        owner.clone_from(&card.owner);
        person(&mut known, &row, card);
    }
    user(&mut known, &tenant, caller.user.or(owned_by(owner)));
    Ok(known)
}

/// The contact that a conversation is with, if the records know it.
pub(crate) async fn contact_of(state: &AppState, address: &Address) -> ApiResult<Option<ContactId>> {
    Ok(match &address.contact {
        ContactKey::Phone(phone) => {
            state.records.contact_by_phone(address.tenant, *phone).await?.map(|row| row.id)
        }
        ContactKey::Bsuid(_) => Some(address.contact.contact_id(address.tenant)),
    })
}

fn owned_by(owner: Option<Owner>) -> Option<UserId> {
    match owner {
        Some(Owner::User(user)) => Some(user),
        _ => None,
    }
}

fn put(known: &mut Known, root: &str, name: &str, value: Option<String>) {
    if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
        known.insert(format_compact!("{root}.{name}"), vec![value]);
    }
}

fn user(known: &mut Known, tenant: &TenantDirectory, id: Option<UserId>) {
    if let Some(user) = id.and_then(|id| tenant.users.get(&id)) {
        put(known, "user", "name", Some(user.name.clone()));
        put(known, "user", "email", Some(user.email.clone()));
    }
}

fn person(known: &mut Known, row: &ContactRecord, card: ContactCard) {
    let text = |text: &CompactString| text.to_string();
    let values = [
        ("name", row.name().map(str::to_owned)),
        ("phone", row.phone.map(|phone| phone.to_string())),
        ("country", card.country.as_ref().map(text)),
        ("stage", card.stage.as_ref().map(text)),
        ("external_id", card.external_id.as_ref().map(text)),
        ("first_name", card.first_name),
        ("middle_name", card.middle_name),
        ("last_name", card.last_name),
        ("email", card.email),
    ];
    for (name, value) in values {
        for root in PERSON {
            put(known, root, name, value.clone());
        }
    }
    if let Some(vacancy) = card.vacancy {
        put(known, "job_opening", "id", Some(vacancy.id.to_string()));
        put(known, "job_opening", "title", Some(vacancy.title));
    }
    for (name, value) in card.fields {
        let values: Vec<_> =
            value.values().iter().filter(|value| !value.trim().is_empty()).cloned().collect();
        if values.is_empty() {
            continue;
        }
        // A name with a dot says itself what it is about.
        if name.contains('.') {
            known.insert(name, values);
            continue;
        }
        for root in PERSON {
            known.insert(format_compact!("{root}.{name}"), values.clone());
        }
    }
}
