//! The provider's limits, checked before anything is queued, and our own limits of what is kept
//! (facts: Cloud API messages, interactive messages). Lengths are counted in characters.

use crate::command::Refusal;
use crate::content::{Choice, Content, Media, MediaKind, MediaSource, TemplateContent};

/// What is kept of a part that is not understood. Real parts are far smaller; a log entry stays small too.
pub const MAX_RAW_BYTES: usize = 64 * 1024;

/// Text of a message.
pub const MAX_TEXT: usize = 4_096;
/// Text under a file.
pub const MAX_CAPTION: usize = 1_024;
/// Name of a document.
pub const MAX_FILENAME: usize = 240;
/// A MIME type: 127 characters on each side of the slash (RFC 6838).
pub const MAX_MIME_TYPE: usize = 255;
/// The provider's id of a file: digits today, with room for another form.
pub const MAX_MEDIA_ID: usize = 128;
/// The address of a file: what servers and browsers commonly take.
pub const MAX_LINK: usize = 2_048;
/// Text of one template parameter: no more than the body that it stands in.
pub const MAX_PARAMETER: usize = 1_024;
/// Buttons under a question; more options become a list.
pub const MAX_BUTTONS: usize = 3;
/// Rows of a list.
pub const MAX_ROWS: usize = 10;
/// Text of a question with buttons.
pub const MAX_BUTTON_BODY: usize = 1_024;
/// Text of a question with a list.
pub const MAX_LIST_BODY: usize = 4_096;
/// Label of a button.
pub const MAX_BUTTON_TITLE: usize = 20;
/// Label of a row.
pub const MAX_ROW_TITLE: usize = 24;
/// Our id of a button.
pub const MAX_BUTTON_ID: usize = 256;
/// Our id of a row.
pub const MAX_ROW_ID: usize = 200;
/// Label of the button that opens a list.
pub const MAX_LIST_BUTTON: usize = 20;
/// An emoji with its modifiers; the longest in use has 14 code points.
pub const MAX_EMOJI: usize = 16;
/// What comes back with statuses (`biz_opaque_callback_data`).
pub const MAX_OPAQUE: usize = 512;

const _: () = assert!(MAX_BUTTONS < MAX_ROWS, "a list must hold more than the buttons it replaces");

/// Whether a question is sent with buttons; otherwise it becomes a list.
#[must_use]
pub fn fits_buttons(options: &[Choice]) -> bool {
    options.len() <= MAX_BUTTONS
        && options.iter().all(|option| option.title.chars().count() <= MAX_BUTTON_TITLE)
}

/// Checks content against the provider's limits.
///
/// # Errors
/// [`Refusal::InvalidContent`] with the field and the cure.
pub fn validate(content: &Content) -> Result<(), Refusal> {
    match content {
        Content::Text { body } => text("/text/body", body, MAX_TEXT),
        Content::Media(media) => validate_media(media),
        Content::Interactive { body, options, list_button } => {
            validate_question(body, options)?;
            list_button
                .as_deref()
                .map_or(Ok(()), |label| text("/interactive/list_button", label, MAX_LIST_BUTTON))
        }
        Content::Template(template) => validate_template(template),
        Content::Reaction { message, emoji } => {
            text("/reaction/message_id", message.as_str(), usize::MAX)?;
            emoji.as_deref().map_or(Ok(()), |emoji| text("/reaction/emoji", emoji, MAX_EMOJI))
        }
        Content::Location { latitude, longitude, .. } => {
            within("/location/latitude", *latitude, 90.0)?;
            within("/location/longitude", *longitude, 180.0)
        }
        // Whether the channel can send the other kinds at all is not a question of limits.
        _ => Ok(()),
    }
}

fn validate_media(media: &Media) -> Result<(), Refusal> {
    if let MediaSource::Link(link) = &media.source
        && !(link.starts_with("https://") || link.starts_with("http://"))
    {
        let cure = "must be an http or https address that the provider can fetch";
        return refuse("/media/link", cure.into());
    }
    match &media.source {
        MediaSource::Link(link) => text("/media/link", link, MAX_LINK)?,
        MediaSource::Provider(id) => text("/media/provider_media_id", id.as_str(), MAX_MEDIA_ID)?,
        MediaSource::File(_) => {}
    }
    if media.caption.is_some() && matches!(media.kind, MediaKind::Audio | MediaKind::Sticker) {
        let cure = "audio and stickers have no caption; send the text as a message of its own";
        return refuse("/media/caption", cure.into());
    }
    let optional =
        |pointer, value: Option<&str>, max| value.map_or(Ok(()), |value| text(pointer, value, max));
    optional("/media/mime_type", media.mime_type.as_deref(), MAX_MIME_TYPE)?;
    optional("/media/caption", media.caption.as_deref(), MAX_CAPTION)?;
    optional("/media/filename", media.filename.as_deref(), MAX_FILENAME)
}

fn validate_template(template: &TemplateContent) -> Result<(), Refusal> {
    for (index, parameter) in template.parameters.iter().enumerate() {
        text(&format!("/template/parameters/{index}"), &parameter.text, MAX_PARAMETER)?;
    }
    Ok(())
}

fn validate_question(body: &str, options: &[Choice]) -> Result<(), Refusal> {
    let pointer = "/interactive/options";
    if options.is_empty() || options.len() > MAX_ROWS {
        return refuse(pointer, format!("has {} options; give 1 to {MAX_ROWS}", options.len()));
    }
    let buttons = fits_buttons(options);
    let (max_body, max_title, max_id) = if buttons {
        (MAX_BUTTON_BODY, MAX_BUTTON_TITLE, MAX_BUTTON_ID)
    } else {
        (MAX_LIST_BODY, MAX_ROW_TITLE, MAX_ROW_ID)
    };
    text("/interactive/body", body, max_body)?;
    for (index, option) in options.iter().enumerate() {
        text(&format!("{pointer}/{index}/title"), &option.title, max_title)?;
        text(&format!("{pointer}/{index}/id"), &option.id, max_id)?;
        let earlier = &options[..index];
        if earlier.iter().any(|earlier| earlier.id == option.id) {
            return refuse(&format!("{pointer}/{index}/id"), "repeats an earlier id; ids must differ".into());
        }
        if earlier.iter().any(|earlier| earlier.title == option.title) {
            let cure = "repeats an earlier title; people could not tell them apart";
            return refuse(&format!("{pointer}/{index}/title"), cure.into());
        }
    }
    Ok(())
}

fn text(pointer: &str, value: &str, max: usize) -> Result<(), Refusal> {
    let length = value.chars().count();
    if value.trim().is_empty() {
        refuse(pointer, "is empty; give at least one visible character".into())
    } else if length > max {
        refuse(pointer, format!("has {length} characters; shorten it to {max}"))
    } else {
        Ok(())
    }
}

fn within(pointer: &str, degrees: f64, max: f64) -> Result<(), Refusal> {
    if degrees.abs() <= max {
        Ok(())
    } else {
        refuse(pointer, format!("must be between -{max} and {max} degrees"))
    }
}

fn refuse(pointer: &str, detail: String) -> Result<(), Refusal> {
    Err(Refusal::InvalidContent { pointer: pointer.into(), detail })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{MediaId, ProviderId};

    fn options(count: usize, title: usize) -> Vec<Choice> {
        let titled = |id: usize| format!("{id:x}{}", "x".repeat(title.saturating_sub(1)));
        (0..count).map(|id| Choice { id: id.to_string().into(), title: titled(id) }).collect()
    }

    fn question(body: usize, options: Vec<Choice>) -> Content {
        Content::Interactive { body: "è".repeat(body), options, list_button: None }
    }

    fn pointer(content: &Content) -> Option<String> {
        match validate(content) {
            Ok(()) => None,
            Err(Refusal::InvalidContent { pointer, detail }) => {
                assert!(!detail.is_empty());
                Some(pointer.to_string())
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn questions_keep_the_limits_of_buttons_and_lists() {
        for (content, expected) in [
            (question(MAX_BUTTON_BODY, options(3, 20)), None),
            (question(MAX_BUTTON_BODY + 1, options(3, 20)), Some("/interactive/body")),
            (question(MAX_LIST_BODY, options(3, 21)), None),
            (question(MAX_LIST_BODY, options(10, 24)), None),
            (question(MAX_LIST_BODY + 1, options(10, 24)), Some("/interactive/body")),
            (question(1, options(10, 25)), Some("/interactive/options/0/title")),
            (question(1, options(11, 1)), Some("/interactive/options")),
            (question(1, options(0, 1)), Some("/interactive/options")),
            (question(0, options(1, 1)), Some("/interactive/body")),
            (question(1, [options(1, 1), options(1, 1)].concat()), Some("/interactive/options/1/id")),
        ] {
            assert_eq!(pointer(&content).as_deref(), expected);
        }
    }

    #[test]
    fn texts_files_and_places_keep_their_limits() {
        let stored = || MediaSource::Provider(MediaId::new("1"));
        let media = |kind, source, caption: &str| {
            Content::Media(Media {
                kind,
                source,
                mime_type: None,
                sha256: None,
                filename: Some("cv.pdf".into()),
                caption: Some(caption.into()),
                voice: false,
            })
        };
        let reaction = |id: &str| Content::Reaction { message: ProviderId::new(id), emoji: None };
        let place =
            |latitude, longitude| Content::Location { latitude, longitude, name: None, address: None };
        for (content, expected) in [
            (Content::Text { body: "è".repeat(MAX_TEXT) }, None),
            (Content::Text { body: "è".repeat(MAX_TEXT + 1) }, Some("/text/body")),
            (Content::Text { body: " \n".into() }, Some("/text/body")),
            (media(MediaKind::Document, stored(), "ok"), None),
            (media(MediaKind::Document, stored(), &"x".repeat(MAX_CAPTION + 1)), Some("/media/caption")),
            (media(MediaKind::Audio, stored(), "a song"), Some("/media/caption")),
            (
                media(MediaKind::Image, MediaSource::Link("file:///etc/hosts".into()), "x"),
                Some("/media/link"),
            ),
            (reaction("wamid.1"), None),
            (reaction(""), Some("/reaction/message_id")),
            (place(45.0, -180.0), None),
            (place(90.1, 0.0), Some("/location/latitude")),
            (place(0.0, f64::NAN), Some("/location/longitude")),
        ] {
            assert_eq!(pointer(&content).as_deref(), expected);
        }
    }
}
