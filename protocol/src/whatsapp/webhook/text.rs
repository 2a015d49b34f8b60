//! Scalars as the provider happens to write them: the same field comes as a string in one version and as a
//! number in the next, so every scalar is read as text and converted where it is used.

use std::borrow::Cow;
use std::fmt;

use compact_str::CompactString;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::content::RawJson;
use crate::phone::E164;
use crate::time::TimestampMs;
use crate::whatsapp::limits::MAX_RAW_BYTES;

/// A string, number or flag as text. `null`, a missing field and anything that is not a scalar read as empty,
/// so that one odd field does not cost the whole part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `None` when empty.
    pub(super) fn compact(&self) -> Option<CompactString> {
        (!self.is_empty()).then(|| CompactString::from(self.as_str()))
    }

    /// `None` when empty.
    pub(super) fn owned(self) -> Option<String> {
        (!self.is_empty()).then(|| self.0.into_owned())
    }

    pub(super) fn parse<T: std::str::FromStr>(&self) -> Option<T> {
        self.as_str().parse().ok()
    }

    pub(super) fn flag(&self) -> Option<bool> {
        self.parse()
    }

    pub(super) fn phone(&self) -> Option<E164> {
        E164::parse(self.as_str()).ok()
    }

    /// Unix seconds, as a number or as text.
    pub(super) fn unix_seconds(&self) -> Option<TimestampMs> {
        self.parse().map(TimestampMs::from_unix_seconds)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyAsText)
    }
}

struct AnyAsText;

impl<'de> Visitor<'de> for AnyAsText {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(if flag { "true" } else { "false" })))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Text::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }
}

/// Reads a part; `None` when it is missing or has another shape.
pub(super) fn part<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

/// The elements of a list; none when it is missing or no list.
pub(super) fn list(raw: Option<&RawValue>) -> Vec<&RawValue> {
    part(raw).unwrap_or_default()
}

/// A part as it came, cut at [`MAX_RAW_BYTES`].
pub(super) fn raw(part: &RawValue) -> RawJson {
    let text = part.get();
    RawJson(text[..text.floor_char_boundary(MAX_RAW_BYTES)].to_owned())
}
