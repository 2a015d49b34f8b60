//! Files: uploaded by the business, or sent by contacts.

use data_encoding::BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::World;
use crate::limits::MEDIA_FILES;
use crate::simulator::error::GraphError;

/// The address of a file can be used for five minutes.
const URL_LIFETIME_MS: i64 = 5 * 60_000;

/// One file.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    pub(crate) account: usize,
    pub(crate) mime_type: String,
    pub(crate) bytes: bytes::Bytes,
    /// Base64, not hex: so does the provider.
    pub(crate) sha256: String,
    url_until_ms: i64,
}

impl Media {
    pub(crate) fn new(account: usize, mime_type: String, bytes: Vec<u8>, now_ms: i64) -> Self {
        let sha256 = BASE64.encode(&Sha256::digest(&bytes));
        Self { account, mime_type, bytes: bytes.into(), sha256, url_until_ms: now_ms }
    }
}

impl World {
    /// Keeps a file and names it; the oldest one makes room.
    pub(crate) fn add_media(&mut self, media: Media) -> String {
        if self.media.len() >= MEDIA_FILES {
            self.media.pop_first();
        }
        self.next_template_id += 1;
        let id = self.next_template_id.to_string();
        self.media.insert(id.clone(), media);
        id
    }

    /// An upload to a number.
    pub(crate) fn upload(
        &mut self,
        now_ms: i64,
        token: Option<&str>,
        number: &str,
        file: (String, Vec<u8>),
    ) -> Result<Value, GraphError> {
        let account = self.number_of(token, number)?;
        let (mime_type, bytes) = file;
        let id = self.add_media(Media::new(account, mime_type, bytes, now_ms));
        Ok(json!({ "id": id }))
    }

    /// The description of a file with a fresh address.
    pub(crate) fn media_json(&mut self, now_ms: i64, id: &str, base_url: &str) -> Result<Value, GraphError> {
        let media = self.media.get_mut(id).ok_or_else(|| GraphError::unknown_object(id))?;
        media.url_until_ms = now_ms + URL_LIFETIME_MS;
        Ok(json!({
            "messaging_product": "whatsapp",
            "url": format!("{base_url}/_media/{id}"),
            "mime_type": media.mime_type,
            "sha256": media.sha256,
            "file_size": media.bytes.len().to_string(),
            "id": id,
        }))
    }

    /// The content behind an address, while that is valid.
    pub(crate) fn download(&self, now_ms: i64, token: Option<&str>, id: &str) -> Result<Media, u16> {
        self.account_of(token).map_err(|error| error.http_status())?;
        let media = self.media.get(id).ok_or(404u16)?;
        if now_ms > media.url_until_ms { Err(404) } else { Ok(media.clone()) }
    }

    pub(crate) fn delete_media(&mut self, id: &str) -> Value {
        json!({ "success": self.media.remove(id).is_some() })
    }
}
