//! A message in a few words.

use protocol::content::Content;

use super::super::limits::PREVIEW_CHARS;

/// The beginning of what a message says, on one line.
pub(super) fn text(content: &Content) -> String {
    let full = match content {
        Content::Text { body } | Content::Interactive { body, .. } => body,
        Content::Template(template) => &template.rendered,
        Content::Media(media) => media.caption.as_deref().or(media.filename.as_deref()).unwrap_or(""),
        Content::Choice { title, .. } => title,
        Content::Button { text, .. } => text,
        Content::Location { name, address, .. } => name.as_deref().or(address.as_deref()).unwrap_or(""),
        Content::Reaction { emoji, .. } => emoji.as_deref().unwrap_or(""),
        Content::Edit { content, .. } => return text(content),
        _ => "",
    };
    let mut line = String::new();
    for (index, c) in full.chars().enumerate() {
        if index == PREVIEW_CHARS {
            line.push('…');
            break;
        }
        line.push(if c.is_control() { ' ' } else { c });
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_are_one_short_line() {
        let long = Content::Text { body: format!("a\nb{}", "é".repeat(500)) };
        let preview = text(&long);
        assert!(preview.starts_with("a bé") && preview.ends_with('…'));
        assert_eq!(preview.chars().count(), PREVIEW_CHARS + 1);
    }
}
