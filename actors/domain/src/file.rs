//! Files of messages: what a file is by its content, and whether it may be sent.

use compact_str::CompactString;
use file_format::FileFormat;
use protocol::content::MediaKind;

const MIB: u64 = 1024 * 1024;

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileType {
    /// Its MIME type.
    pub mime: CompactString,
    /// As what it may be sent; `None` if not at all.
    pub kind: Option<MediaKind>,
}

/// Looks at the content; its name and what its sender says of it do not matter.
#[must_use]
pub fn detect(content: &[u8]) -> FileType {
    let (mime, kind) = match FileFormat::from_bytes(content) {
        FileFormat::JointPhotographicExpertsGroup => ("image/jpeg", MediaKind::Image),
        FileFormat::PortableNetworkGraphics => ("image/png", MediaKind::Image),
        FileFormat::PortableDocumentFormat => ("application/pdf", MediaKind::Document),
        FileFormat::ThirdGenerationPartnershipProject => ("video/3gpp", MediaKind::Video),
        FileFormat::Mpeg4Part14 | FileFormat::Mpeg4Part14Video => ("video/mp4", MediaKind::Video),
        // An MP3 with a title page; hardly anything else has one.
        FileFormat::Mpeg12AudioLayer3 | FileFormat::Id3v2 => ("audio/mpeg", MediaKind::Audio),
        FileFormat::OggOpus | FileFormat::OggVorbis => ("audio/ogg", MediaKind::Audio),
        FileFormat::AdaptiveMultiRate => ("audio/amr", MediaKind::Audio),
        other => return FileType { mime: other.media_type().into(), kind: None },
    };
    FileType { mime: mime.into(), kind: Some(kind) }
}

/// What the provider takes of a kind (facts: Cloud API media).
#[must_use]
pub const fn provider_max_bytes(kind: MediaKind) -> u64 {
    match kind {
        MediaKind::Image => 5 * MIB,
        MediaKind::Video | MediaKind::Audio => 16 * MIB,
        MediaKind::Document => 100 * MIB,
        MediaKind::Sticker => MIB / 2,
    }
}

/// Files of one send (D15): a provider that takes one per message gets as many messages.
pub const MAX_PER_SEND: usize = 5;

/// The most that can be sent of any kind.
pub const MAX_BYTES: u64 = provider_max_bytes(MediaKind::Document);

#[cfg(test)]
mod tests {
    use super::*;

    /// The first bytes of each type.
    fn begins(head: &[u8]) -> Vec<u8> {
        let mut content = head.to_vec();
        content.resize(256, 0);
        content
    }

    #[test]
    fn d15_the_type_of_a_file_is_in_its_content() {
        let ogg = [b"OggS".as_slice(), &[0; 24], b"OpusHead"].concat();
        for (content, mime, kind) in [
            (begins(b"\xff\xd8\xff\xe0\0\x10JFIF"), "image/jpeg", Some(MediaKind::Image)),
            (begins(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "image/png", Some(MediaKind::Image)),
            (begins(b"%PDF-1.7\n"), "application/pdf", Some(MediaKind::Document)),
            (begins(b"\0\0\0\x18ftyp3gp5\0\0\0\0"), "video/3gpp", Some(MediaKind::Video)),
            (begins(b"\0\0\0\x18ftypisom\0\0\0\0"), "video/mp4", Some(MediaKind::Video)),
            (begins(b"ID3\x04\0"), "audio/mpeg", Some(MediaKind::Audio)),
            (begins(b"\xff\xfb\x90\x44"), "audio/mpeg", Some(MediaKind::Audio)),
            (begins(&ogg), "audio/ogg", Some(MediaKind::Audio)),
            (begins(b"#!AMR\n"), "audio/amr", Some(MediaKind::Audio)),
            (begins(b"GIF89a"), "image/gif", None),
            (begins(b"MZ"), "application/x-msdownload", None),
            (b"Buongiorno".to_vec(), "application/octet-stream", None),
            (Vec::new(), "application/octet-stream", None),
        ] {
            let found = detect(&content);
            assert_eq!(found.kind, kind, "{}", found.mime);
            if kind.is_some() {
                assert_eq!(found.mime, mime);
            }
        }
    }
}
