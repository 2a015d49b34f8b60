//! What the provider would refuse is refused here, with the field and the cure.

use std::collections::BTreeSet;

use compact_str::CompactString;
use protocol::command::Refusal;
use protocol::content::{Choice, Content, Media, MediaKind, MediaSource};

use crate::limits::{
    BUTTON_CHARS, BUTTONS, BUTTONS_BODY_CHARS, CAPTION_CHARS, CHOICE_ID_CHARS, LIST_ROWS, ROW_CHARS,
    TEXT_CHARS,
};

/// Checks free-form content; templates are checked when they are filled in.
///
/// # Errors
/// Names the field and says how to cure it.
pub(super) fn check(content: &Content) -> Result<(), Refusal> {
    match content {
        Content::Text { body } => chars("/text/body", body, 1, TEXT_CHARS),
        Content::Media(media) => check_media(media),
        Content::Interactive { body, options, .. } => check_interactive(body, options),
        Content::Reaction { message, .. } => chars("/reaction/message_id", message.as_str(), 1, usize::MAX),
        _ => Ok(()),
    }
}

fn check_media(media: &Media) -> Result<(), Refusal> {
    if let MediaSource::Link(link) = &media.source
        && !(link.starts_with("https://") || link.starts_with("http://"))
    {
        return invalid("/media/link", "must be an http or https address that the provider can fetch");
    }
    match (&media.caption, media.kind) {
        (Some(_), MediaKind::Audio | MediaKind::Sticker) => invalid(
            "/media/caption",
            "audio and stickers have no caption; send the text as a message of its own",
        ),
        (Some(caption), _) => chars("/media/caption", caption, 0, CAPTION_CHARS),
        (None, _) => Ok(()),
    }
}

fn check_interactive(body: &str, options: &[Choice]) -> Result<(), Refusal> {
    let (title_chars, body_chars) =
        if options.len() <= BUTTONS { (BUTTON_CHARS, BUTTONS_BODY_CHARS) } else { (ROW_CHARS, TEXT_CHARS) };
    chars("/interactive/body", body, 1, body_chars)?;
    if options.is_empty() || options.len() > LIST_ROWS {
        return invalid("/interactive/options", &format!("must hold 1 to {LIST_ROWS} answers"));
    }
    let (mut ids, mut titles) = (BTreeSet::new(), BTreeSet::new());
    for (index, option) in options.iter().enumerate() {
        let field = |name: &str| format!("/interactive/options/{index}/{name}");
        chars(&field("id"), &option.id, 1, CHOICE_ID_CHARS)?;
        chars(&field("title"), &option.title, 1, title_chars)?;
        if !ids.insert(&option.id) {
            return invalid(&field("id"), "must be unique among the answers");
        }
        if !titles.insert(&option.title) {
            return invalid(&field("title"), "must be unique among the answers");
        }
    }
    Ok(())
}

fn chars(pointer: &str, text: &str, least: usize, most: usize) -> Result<(), Refusal> {
    let count = text.chars().count();
    if count < least || (least > 0 && text.trim().is_empty()) {
        invalid(pointer, "must not be empty")
    } else if count > most {
        invalid(pointer, &format!("has {count} characters, at most {most} are allowed; shorten it"))
    } else {
        Ok(())
    }
}

fn invalid(pointer: &str, detail: &str) -> Result<(), Refusal> {
    Err(Refusal::InvalidContent { pointer: CompactString::from(pointer), detail: detail.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::id::MediaId;

    fn pointer(content: &Content) -> Option<String> {
        match check(content) {
            Ok(()) => None,
            Err(Refusal::InvalidContent { pointer, .. }) => Some(pointer.to_string()),
            Err(other) => panic!("another refusal: {other:?}"),
        }
    }

    fn media(kind: MediaKind, source: MediaSource, caption: Option<&str>) -> Content {
        let caption = caption.map(str::to_owned);
        Content::Media(Media {
            kind,
            source,
            mime_type: None,
            sha256: None,
            filename: None,
            caption,
            voice: false,
        })
    }

    fn interactive(titles: &[&str]) -> Content {
        let options =
            titles.iter().map(|title| Choice { id: (*title).into(), title: (*title).into() }).collect();
        Content::Interactive { body: "?".into(), options, list_button: None }
    }

    #[test]
    fn fields_are_named() {
        let stored = || MediaSource::Provider(MediaId::new("1"));
        let table = [
            (Content::Text { body: "hello".into() }, None),
            (Content::Text { body: " ".into() }, Some("/text/body")),
            (Content::Text { body: "x".repeat(TEXT_CHARS) }, None),
            (Content::Text { body: "x".repeat(TEXT_CHARS + 1) }, Some("/text/body")),
            (media(MediaKind::Image, stored(), Some("a photo")), None),
            (media(MediaKind::Audio, stored(), Some("a song")), Some("/media/caption")),
            (
                media(MediaKind::Image, MediaSource::Link("file:///etc/passwd".into()), None),
                Some("/media/link"),
            ),
            (interactive(&["Yes", "No"]), None),
            (interactive(&[]), Some("/interactive/options")),
            (interactive(&["Yes", "Yes"]), Some("/interactive/options/1/id")),
            (interactive(&["a title that is too long"]), Some("/interactive/options/0/title")),
            (interactive(&["a title for list rows!!!", "2", "3", "4"]), None),
        ];
        for (content, expected) in table {
            assert_eq!(pointer(&content).as_deref(), expected, "{content:?}");
        }
    }
}
