//! Reading an answer, and saying what was expected instead.

use compact_str::CompactString;
use jiff::civil::Date;
use protocol::content::{Content, MediaKind};
use protocol::directory::{Step, StepKind};
use protocol::fact::Answer;
use protocol::phone::E164;
use rust_decimal::Decimal;

use crate::limits::ANSWER_CHARS;
use crate::{texts, words};

/// Why an answer does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// It is not what the step asks for.
    Kind(StepKind),
    /// It is, but below the minimum or above the maximum.
    OutOfRange,
    /// The step cannot be skipped.
    NotOptional,
}

/// Reads an answer to a step.
///
/// # Errors
/// Says in which way it does not fit.
pub(super) fn read(step: &Step, language: &str, content: &Content) -> Result<Answer, Miss> {
    let typed = match content {
        Content::Text { .. } | Content::Choice { .. } | Content::Button { .. } => content.typed_text(),
        _ => None,
    };
    let text = typed.map(str::trim).filter(|text| !text.is_empty());
    let answer = match step.kind {
        StepKind::Text => text.map(|text| Answer::Text(text.chars().take(ANSWER_CHARS).collect())),
        StepKind::Choice => choice(step, content, text),
        StepKind::Number => return number(step, text),
        StepKind::Date => return date(step, text),
        StepKind::Email => text.filter(|text| is_email(text)).map(|text| Answer::Text(text.to_owned())),
        StepKind::Phone => text.and_then(phone),
        StepKind::File => file(content),
        StepKind::Location => location(content),
        StepKind::Consent => consent(step, language, content, text),
    };
    answer.ok_or(Miss::Kind(step.kind))
}

/// Id of an option as we send it: names its step, so that a tap on an old question is not taken for an answer.
pub(super) fn option_id(step: &Step, option: impl std::fmt::Display) -> CompactString {
    CompactString::from(format!("{}:{option}", step.key))
}

/// By tap, by title, or by number.
fn choice(step: &Step, content: &Content, text: Option<&str>) -> Option<Answer> {
    if let Content::Choice { id, .. } = content
        && let Some((key, option)) = id.rsplit_once(':')
    {
        let index = option.parse::<usize>().ok().filter(|_| key == step.key)?;
        return nth(step, index);
    }
    let text = text?;
    let by_title = step.options.iter().find(|option| words::same(option, text));
    match by_title {
        Some(option) => Some(Answer::Text(option.clone())),
        None => nth(step, words::fold(text).trim_end_matches(')').parse().ok()?),
    }
}

/// The option with this number, counted from one.
fn nth(step: &Step, number: usize) -> Option<Answer> {
    step.options.get(number.checked_sub(1)?).map(|option| Answer::Text(option.clone()))
}

fn number(step: &Step, text: Option<&str>) -> Result<Answer, Miss> {
    let parse =
        |text: &str| text.replace([' ', '\u{a0}', '\''], "").replace(',', ".").parse::<Decimal>().ok();
    let value = text.and_then(parse).ok_or(Miss::Kind(StepKind::Number))?;
    let bound = |bound: &Option<CompactString>| bound.as_deref().and_then(parse);
    let fits =
        bound(&step.min).is_none_or(|min| value >= min) && bound(&step.max).is_none_or(|max| value <= max);
    if fits { Ok(Answer::Number(value.normalize().to_string())) } else { Err(Miss::OutOfRange) }
}

fn date(step: &Step, text: Option<&str>) -> Result<Answer, Miss> {
    let value = text.and_then(parse_date).ok_or(Miss::Kind(StepKind::Date))?;
    let bound = |bound: &Option<CompactString>| bound.as_deref().and_then(parse_date);
    let fits =
        bound(&step.min).is_none_or(|min| value >= min) && bound(&step.max).is_none_or(|max| value <= max);
    if fits { Ok(Answer::Text(value.to_string())) } else { Err(Miss::OutOfRange) }
}

/// `2026-11-20`, `20.11.2026` or `20/11/2026`.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    let numbers = |separator: char| {
        let mut parts = text.trim().split(separator).map(|part| part.trim().parse::<i16>().ok());
        let three = (parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(three)
    };
    let (year, month, day) = match numbers('-') {
        Some(parts) => parts,
        None => numbers('.').or_else(|| numbers('/')).map(|(day, month, year)| (year, month, day))?,
    };
    // Two-digit years are ambiguous: a birth date or an availability.
    (year >= 1_900)
        .then(|| Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok())
        .flatten()
}

/// Enough to catch slips of the finger; only a message to it proves an address.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain =
        !text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, ',' | ';' | '<' | '>'));
    let dotted = domain.split('.').count() >= 2 && domain.split('.').all(|part| !part.is_empty());
    plain && dotted && !local.is_empty() && !local.contains('@') && text.len() <= 254
}

/// Only with a country code: the same digits without one are a number in another country.
fn phone(text: &str) -> Option<Answer> {
    let digits = match text.strip_prefix("00") {
        Some(rest) => rest,
        None => text.strip_prefix('+')?,
    };
    E164::parse(digits).ok().map(|phone| Answer::Text(phone.to_string()))
}

fn file(content: &Content) -> Option<Answer> {
    match content {
        Content::Media(media) if media.kind != MediaKind::Sticker => Some(Answer::File(media.clone())),
        _ => None,
    }
}

fn location(content: &Content) -> Option<Answer> {
    match content {
        Content::Location { latitude, longitude, .. } => Some(Answer::Location(*latitude, *longitude)),
        _ => None,
    }
}

fn consent(step: &Step, language: &str, content: &Content, text: Option<&str>) -> Option<Answer> {
    if let Content::Choice { id, .. } = content
        && let Some((key, option)) = id.rsplit_once(':')
    {
        return (key == step.key && matches!(option, "yes" | "no")).then(|| Answer::Consent(option == "yes"));
    }
    let (texts, text) = (texts::of(language), text?);
    if [texts.yes, "yes", "y", "ok", "1"].iter().any(|yes| words::same(yes, text)) {
        return Some(Answer::Consent(true));
    }
    [texts.no, "no", "n", "2"].iter().any(|no| words::same(no, text)).then_some(Answer::Consent(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::id::MediaId;

    fn step(kind: StepKind) -> Step {
        Step {
            key: "k".into(),
            ask: "?".into(),
            kind,
            options: vec!["Sì".into(), "No".into(), "10".into()],
            optional: false,
            retry: None,
            min: None,
            max: None,
            branches: std::collections::BTreeMap::new(),
        }
    }

    fn answer(kind: StepKind, text: &str) -> Option<String> {
        match read(&step(kind), "it", &Content::Text { body: text.into() }) {
            Ok(Answer::Text(text) | Answer::Number(text)) => Some(text),
            Ok(Answer::Consent(agreed)) => Some(agreed.to_string()),
            Ok(other) => panic!("another answer: {other:?}"),
            Err(_) => None,
        }
    }

    #[test]
    fn a8_answers_are_read_and_normalised() {
        use StepKind::{Choice, Consent, Date, Email, Number, Phone, Text};
        let table = [
            (Text, " Anna Rossi ", Some("Anna Rossi")),
            (Text, "  ", None),
            (Choice, "SI", Some("Sì")),
            (Choice, "2", Some("No")),
            (Choice, "10", Some("10")),
            (Choice, "4", None),
            (Choice, "0", None),
            (Choice, "forse", None),
            (Number, "2,50", Some("2.5")),
            (Number, "1 500", Some("1500")),
            (Number, "-3", Some("-3")),
            (Number, "three", None),
            (Date, "2026-11-20", Some("2026-11-20")),
            (Date, "20.11.2026", Some("2026-11-20")),
            (Date, "1/2/2026", Some("2026-02-01")),
            (Date, "31.02.2026", None),
            (Date, "20.11.26", None),
            (Date, "20-11-2026", None),
            (Email, "anna.rossi@example.com", Some("anna.rossi@example.com")),
            (Email, "anna@example", None),
            (Email, "anna rossi@example.com", None),
            (Email, "@example.com", None),
            (Email, "anna@@example.com", None),
            (Phone, "+39 333 123 4567", Some("+393331234567")),
            (Phone, "0039 333 1234567", Some("+393331234567")),
            (Phone, "333 1234567", None),
            (Consent, "sì!", Some("true")),
            (Consent, "YES", Some("true")),
            (Consent, "no", Some("false")),
            (Consent, "maybe", None),
        ];
        for (kind, text, expected) in table {
            assert_eq!(answer(kind, text).as_deref(), expected, "{kind:?} {text}");
        }
    }

    #[test]
    fn a8_numbers_and_dates_keep_to_their_limits() {
        let bounded =
            |kind, min: &str, max: &str| Step { min: Some(min.into()), max: Some(max.into()), ..step(kind) };
        let read = |step: &Step, text: &str| read(step, "it", &Content::Text { body: text.into() });
        let age = bounded(StepKind::Number, "18", "65");
        assert!(read(&age, "18").is_ok() && read(&age, "65").is_ok());
        assert_eq!(read(&age, "17.9"), Err(Miss::OutOfRange));
        let from = bounded(StepKind::Date, "2026-11-20", "2026-12-31");
        assert!(read(&from, "20.11.2026").is_ok());
        assert_eq!(read(&from, "01.01.2027"), Err(Miss::OutOfRange));
    }

    #[test]
    fn a8_files_and_places_are_not_typed() {
        let media = |kind| {
            let source = protocol::content::MediaSource::Provider(MediaId::new("1"));
            let (mime_type, sha256, filename, caption) = (None, None, None, None);
            Content::Media(protocol::content::Media {
                kind,
                source,
                mime_type,
                sha256,
                filename,
                caption,
                voice: false,
            })
        };
        let place = Content::Location { latitude: 45.5, longitude: 9.2, name: None, address: None };
        assert!(matches!(
            read(&step(StepKind::File), "it", &media(MediaKind::Document)),
            Ok(Answer::File(_))
        ));
        assert!(read(&step(StepKind::File), "it", &media(MediaKind::Sticker)).is_err());
        assert_eq!(read(&step(StepKind::Location), "it", &place), Ok(Answer::Location(45.5, 9.2)));
        for kind in [StepKind::Text, StepKind::File, StepKind::Choice] {
            assert_eq!(read(&step(kind), "it", &place), Err(Miss::Kind(kind)));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String) {
            for kind in [StepKind::Text, StepKind::Choice, StepKind::Number, StepKind::Date, StepKind::Email,
                StepKind::Phone, StepKind::File, StepKind::Location, StepKind::Consent]
            {
                let _ = read(&step(kind), "it", &Content::Text { body: text.clone() });
                let _ = read(&step(kind), "it", &Content::Choice { id: text.as_str().into(), title: text.clone() });
            }
        }
    }
}
