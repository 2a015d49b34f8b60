//! Text forms of small values in columns, the same on every database.

use protocol::command::{Owner, Party};
use serde::Serialize;
use serde::de::value::{Error as NameError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::{RecordsError, RecordsResult};

/// The serde name of a unit variant, such as `opted_in`.
pub(super) fn name<T: Serialize>(value: &T) -> RecordsResult<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        Ok(_) => Err(RecordsError::Invalid { field: "name", detail: "is not a plain variant".into() }),
        Err(error) => Err(RecordsError::Failed(error.into())),
    }
}

/// The unit variant with a serde name.
pub(super) fn from_name<T: DeserializeOwned>(what: &'static str, name: &str) -> RecordsResult<T> {
    let deserializer: StrDeserializer<'_, NameError> = name.into_deserializer();
    T::deserialize(deserializer).map_err(damaged(what))
}

/// JSON text of a value.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> RecordsResult<String> {
    serde_json::to_string(value).map_err(|error| RecordsError::Failed(error.into()))
}

/// The value of a JSON text.
pub(super) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> RecordsResult<T> {
    serde_json::from_str(text).map_err(damaged(what))
}

/// Marks a failure as unreadable storage.
pub(super) fn damaged<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    what: &'static str,
) -> impl FnOnce(E) -> RecordsError {
    move |source| RecordsError::Damaged { what, source: source.into() }
}

/// `user:usr_…`, `bot` …
pub(super) fn party(party: Party) -> String {
    match party {
        Party::Contact => "contact".into(),
        Party::User(id) => format!("user:{id}"),
        Party::Service(id) => format!("service:{id}"),
        Party::Bot => "bot".into(),
        Party::Automation => "automation".into(),
        Party::Gateway => "gateway".into(),
    }
}

/// Reads what [`party`] wrote.
pub(super) fn from_party(text: &str) -> RecordsResult<Party> {
    Ok(match text.split_once(':') {
        None if text == "contact" => Party::Contact,
        None if text == "bot" => Party::Bot,
        None if text == "automation" => Party::Automation,
        None if text == "gateway" => Party::Gateway,
        Some(("user", id)) => Party::User(id.parse().map_err(damaged("party"))?),
        Some(("service", id)) => Party::Service(id.parse().map_err(damaged("party"))?),
        _ => return Err(damaged("party")("unknown form")),
    })
}

/// `user:usr_…`, `group:grp_…`, `role:recruiter`.
pub(super) fn owner(owner: &Owner) -> String {
    match owner {
        Owner::User(id) => format!("user:{id}"),
        Owner::Group(id) => format!("group:{id}"),
        Owner::Role(role) => format!("role:{role}"),
    }
}

/// Reads what [`owner`] wrote.
pub(super) fn from_owner(text: &str) -> RecordsResult<Owner> {
    Ok(match text.split_once(':') {
        Some(("user", id)) => Owner::User(id.parse().map_err(damaged("owner"))?),
        Some(("group", id)) => Owner::Group(id.parse().map_err(damaged("owner"))?),
        Some(("role", role)) => Owner::Role(role.into()),
        _ => return Err(damaged("owner")("unknown form")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::command::Consent;
    use protocol::id::{GroupId, KeyId, UserId};

    #[test]
    fn text_forms_round_trip() {
        for value in [
            Party::Contact,
            Party::User(UserId(1)),
            Party::Service(KeyId(2)),
            Party::Bot,
            Party::Automation,
            Party::Gateway,
        ] {
            assert_eq!(from_party(&party(value)).unwrap(), value);
        }
        for value in [Owner::User(UserId(1)), Owner::Group(GroupId(2)), Owner::Role("a:b".into())] {
            assert_eq!(from_owner(&owner(&value)).unwrap(), value);
        }
        assert_eq!(name(&Consent::OptedIn).unwrap(), "opted_in");
        assert_eq!(from_name::<Consent>("consent", "opted_in").unwrap(), Consent::OptedIn);
        assert!(from_party("nobody").is_err());
        assert!(from_name::<Consent>("consent", "maybe").is_err());
    }
}
