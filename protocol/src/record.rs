//! What downstream services say about a contact, for merge fields.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};

use crate::limits::{FIELD_VALUES, VALUE_CHARS};

/// What a record says in one field: one value, or several of which whoever sends a template chooses one (interviews,
/// job openings). JSON: a text, or a list of texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum FieldValue {
    /// The value.
    One(String),
    /// The possible values, in the order in which they are offered.
    Many(Vec<String>),
}

impl FieldValue {
    /// The possible values; several of them must be chosen from.
    #[must_use]
    pub fn values(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

impl From<&str> for FieldValue {
    fn from(value: &str) -> Self {
        Self::One(value.to_owned())
    }
}

/// How a [`FieldValue`] that may be removed is documented.
pub struct FieldChange;

impl utoipa::PartialSchema for FieldChange {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String).max_length(Some(VALUE_CHARS));
        let several = ArrayBuilder::new().items(text()).min_items(Some(1)).max_items(Some(FIELD_VALUES));
        let nothing = ObjectBuilder::new().schema_type(Type::Null);
        OneOfBuilder::new().item(text()).item(several).item(nothing).into()
    }
}

impl ToSchema for FieldChange {}

/// By hand, so that a mistake is told in words instead of `did not match any variant`.
impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;

        impl<'de> Visitor<'de> for Values {
            type Value = FieldValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a list of texts to choose from")
            }

            fn visit_str<E>(self, value: &str) -> Result<FieldValue, E> {
                Ok(value.into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<FieldValue, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(FieldValue::Many(values))
            }
        }

        deserializer.deserialize_any(Values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d3_a_field_has_one_value_or_several() {
        let read = |json: &str| serde_json::from_str::<FieldValue>(json);
        assert_eq!(read("\"Bari\"").unwrap().values(), ["Bari"]);
        let several = read(r#"["Monday", "Friday"]"#).unwrap();
        assert_eq!(several.values(), ["Monday", "Friday"]);
        assert_eq!(serde_json::to_string(&several).unwrap(), r#"["Monday","Friday"]"#);
        let wrong = read("7").unwrap_err().to_string();
        assert!(wrong.contains("a text, or a list of texts"), "{wrong}");
    }
}
