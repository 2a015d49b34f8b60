//! Answers about files (facts: Cloud API media).

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::graph_error;
use crate::content::ProviderError;
use crate::id::MediaId;

/// Where a file can be fetched, for five minutes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Described {
    /// Its address; the number's token is needed there, too.
    pub url: String,
    /// SHA-256 of the content, in hexadecimal digits or base64.
    #[serde(default)]
    pub sha256: Option<String>,
}

#[derive(Deserialize)]
struct Uploaded {
    id: MediaId,
}

impl Described {
    /// Reads an answer.
    ///
    /// # Errors
    /// What the provider says instead.
    pub fn read(http_status: u16, body: &[u8]) -> Result<Self, ProviderError> {
        read(http_status, body)
    }
}

/// The id of a file that was uploaded.
///
/// # Errors
/// What the provider says instead.
pub fn uploaded(http_status: u16, body: &[u8]) -> Result<MediaId, ProviderError> {
    read::<Uploaded>(http_status, body).map(|uploaded| uploaded.id)
}

fn read<T: DeserializeOwned>(http_status: u16, body: &[u8]) -> Result<T, ProviderError> {
    if let Some(error) = graph_error(body) {
        return Err(error);
    }
    serde_json::from_slice(body).map_err(|error| ProviderError {
        code: i64::from(http_status),
        title: format!("HTTP {http_status}"),
        detail: Some(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d15_answers_about_files_are_read() {
        let described =
            Described::read(200, br#"{"url":"https://x.example/1","mime_type":"image/png","id":"1"}"#);
        assert_eq!(described.unwrap().url, "https://x.example/1");
        assert_eq!(uploaded(200, br#"{"id":"77"}"#), Ok(MediaId::new("77")));
        let refused = br#"{"error":{"code":190,"message":"token"}}"#;
        assert_eq!(uploaded(401, refused).unwrap_err().code, 190);
        assert_eq!(Described::read(502, b"<html>").unwrap_err().code, 502);
    }
}
