//! Where a part of a webhook goes: a conversation of a number within reach, or a notice.

use domain::directory::Directory;
use protocol::content::RawJson;
use protocol::entry::{AccountNotice, Address, Happening, Identity, Notice};
use protocol::id::{Bsuid, NumberId, PhoneNumberId, TenantId, WabaId};
use protocol::outbound::{OpaqueId, OpaqueKey};
use protocol::phone::{ContactKey, E164};
use protocol::time::TimestampMs;
use protocol::whatsapp::limits::MAX_RAW_BYTES;
use protocol::whatsapp::webhook::{Names, Part, Payload};

/// What a webhook may reach: the numbers of the tenants whose secret signed it.
pub(super) struct Reach<'a> {
    pub(super) directory: &'a Directory,
    pub(super) scope: &'a [TenantId],
    pub(super) opaque_key: &'a OpaqueKey,
}

/// A part with its place, as far as it is known without the store.
pub(super) enum Placed {
    /// For an account.
    Notice(AccountNotice),
    /// For a conversation that our opaque id names.
    Known { address: Address, happening: Box<Happening> },
    /// For a conversation that the names of the contact lead to.
    Named {
        tenant: TenantId,
        number: NumberId,
        names: Names,
        /// The key of the contact unless an alias says otherwise.
        key: ContactKey,
        happening: Box<Happening>,
    },
}

impl Placed {
    /// Names that have to be looked up.
    pub(super) fn names(&self) -> Option<(NumberId, &Names)> {
        match self {
            Self::Named { number, names, .. } => Some((*number, names)),
            Self::Notice(_) | Self::Known { .. } => None,
        }
    }
}

/// The key of a contact that has no alias: the phone number when it is known.
pub(super) fn own_key(names: &Names) -> Option<ContactKey> {
    names.phone.map(ContactKey::Phone).or_else(|| names.bsuid.clone().map(ContactKey::Bsuid))
}

/// Names that the conversation will lead to once it has applied this.
pub(super) fn names_to_learn(happening: &Happening) -> Option<Names> {
    let of = |identity: &Identity| Names { phone: identity.phone, bsuid: identity.bsuid.clone() };
    match happening {
        Happening::Received(message) => Some(of(&message.identity)),
        Happening::Call(call) => Some(of(&call.identity)),
        Happening::IdentityChanged(change) => Some(of(&change.now)),
        // A status names its recipient as the provider writes it: the conversation decides what that means.
        Happening::Status(_)
        | Happening::Preference(_)
        | Happening::Command(_)
        | Happening::ContactChanged(_) => None,
    }
}

impl Reach<'_> {
    pub(super) fn place(&self, part: Part) -> Placed {
        let Part { waba, phone_number_id, display_phone, payload } = part;
        let number = self.number(phone_number_id.as_ref());
        match (payload, number) {
            (Payload::Notice(notice, at), number) => {
                let number = number.ok().or_else(|| self.number_by_phone(display_phone?));
                Placed::Notice(self.notice(waba, number, at, notice))
            }
            (Payload::Conversation { names, opaque, happening }, Ok(number)) => {
                self.conversation(waba, number, (names, opaque), happening)
            }
            (Payload::Conversation { happening, .. }, Err(reason)) => self.lost(waba, reason, &happening),
        }
    }

    fn conversation(
        &self,
        waba: WabaId,
        (tenant, number): (TenantId, NumberId),
        (names, opaque): (Names, Option<String>),
        mut happening: Box<Happening>,
    ) -> Placed {
        let key = own_key(&names);
        if let Some(id) = opaque.and_then(|text| OpaqueId::open(&text, number, self.opaque_key)) {
            if let Happening::Status(update) = happening.as_mut() {
                update.message = Some(id.message);
            }
            // The conversation exists, since a message of ours left it, and knows its contact better than this
            // part, which may name nobody at all.
            let contact = key.unwrap_or_else(|| ContactKey::Bsuid(Bsuid::new("")));
            let address = Address { tenant, number, contact, conversation: id.conversation };
            return Placed::Known { address, happening };
        }
        match key {
            Some(key) => Placed::Named { tenant, number, names, key, happening },
            None => self.lost(waba, "no_name", &happening),
        }
    }

    /// The number with this provider id, if it is within reach.
    fn number(&self, id: Option<&PhoneNumberId>) -> Result<(TenantId, NumberId), &'static str> {
        let id = id.ok_or("no_number")?;
        let &(tenant, number) = self.directory.phone_numbers.get(id).ok_or("unknown_number")?;
        if self.scope.contains(&tenant) { Ok((tenant, number)) } else { Err("foreign_number") }
    }

    /// Notices about numbers name the number itself.
    fn number_by_phone(&self, phone: E164) -> Option<(TenantId, NumberId)> {
        let tenants = self.scope.iter().filter_map(|tenant| self.directory.tenants.get(tenant));
        let mut numbers = tenants.flat_map(|tenant| tenant.numbers.values());
        numbers.find(|number| number.phone == phone).map(|number| (number.tenant, number.id))
    }

    fn notice(
        &self,
        waba: WabaId,
        number: Option<(TenantId, NumberId)>,
        at: Option<TimestampMs>,
        notice: Notice,
    ) -> AccountNotice {
        let of_account =
            || self.directory.wabas.get(&waba).filter(|tenant| self.scope.contains(tenant)).copied();
        let tenant = number.map(|(tenant, _)| tenant).or_else(of_account);
        AccountNotice { tenant, waba, number: number.map(|(_, number)| number), at, notice }
    }

    /// Keeps what has no conversation to go to.
    fn lost(&self, waba: WabaId, reason: &'static str, happening: &Happening) -> Placed {
        let field = match happening {
            Happening::Received(_) | Happening::IdentityChanged(_) => "messages",
            Happening::Status(_) => "statuses",
            Happening::Call(_) => "calls",
            Happening::Preference(_) => "user_preferences",
            Happening::Command(_) | Happening::ContactChanged(_) => "commands",
        };
        // Only a value without a JSON form fails, such as a map with odd keys: there is none in these types.
        let mut raw = serde_json::to_string(happening).unwrap_or_default();
        raw.truncate(raw.floor_char_boundary(MAX_RAW_BYTES));
        let notice = Notice::Unknown { field: field.into(), reason: reason.into(), raw: RawJson(raw) };
        Placed::Notice(self.notice(waba, None, None, notice))
    }
}
