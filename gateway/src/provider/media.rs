//! Files at the Graph API: given to it, and fetched from it.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use protocol::content::ProviderError;
use protocol::directory::Number;
use protocol::id::MediaId;
use protocol::whatsapp::media::{Described, uploaded};
use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, Url};
use runtime::{FetchError, MediaProvider};
use sha2::{Digest as _, Sha256};

use super::failure;
use super::whatsapp::{GRAPH_HOST, MAX_ANSWER_BYTES, ReadAnswer, WhatsApp};

/// The largest file at a slow line: 100 MB at 2 MB/s, and some.
const TRANSFER_WAIT: Duration = Duration::from_secs(60);

impl WhatsApp {
    fn object(&self, number: &Number, path: &str) -> Result<Url, String> {
        let base = number.base_url.as_deref().unwrap_or(GRAPH_HOST).trim_end_matches('/');
        let url = Url::parse(&format!("{base}/{}/{path}", number.api_version));
        url.map_err(|_| "the number's `base_url` is not an address".to_owned())
    }

    async fn asked(&self, number: &Number, request: RequestBuilder) -> Result<ReadAnswer, String> {
        let answered = match authorised(number, request).send().await {
            Ok(response) => ReadAnswer::read(response, MAX_ANSWER_BYTES).await,
            Err(error) => Err(error),
        };
        answered.map_err(|error| failure::detail(&error))
    }

    async fn describe(&self, number: &Number, media: &MediaId) -> Result<Described, String> {
        let mut url = self.object(number, media.as_str())?;
        if let Some(id) = &number.phone_number_id {
            url.query_pairs_mut().append_pair("phone_number_id", id.as_str());
        }
        let answer = self.asked(number, self.http.get(url)).await?;
        Described::read(answer.status, &answer.body)
            .map_err(|error| format!("{}: {}", error.code, error.title))
    }

    async fn download(&self, number: &Number, url: &str, max_bytes: u64) -> Result<Bytes, FetchError> {
        let failed = |detail: &str| FetchError::Failed(detail.to_owned());
        let url = Url::parse(url).map_err(|_| failed("the provider named no address"))?;
        if !may_see_token(number, &url) {
            return Err(failed("the address is not encrypted: the token is not sent there"));
        }
        let request = authorised(number, self.http.get(url)).timeout(TRANSFER_WAIT);
        let lost = |error: reqwest::Error| FetchError::Failed(failure::detail(&error));
        let mut response = request.send().await.map_err(lost)?;
        if !response.status().is_success() {
            return Err(FetchError::Failed(format!("HTTP {}", response.status().as_u16())));
        }
        let mut content = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if (content.len() + chunk.len()) as u64 > max_bytes {
                return Err(FetchError::TooLarge { max_bytes });
            }
            content.extend_from_slice(&chunk);
        }
        Ok(content.freeze())
    }
}

#[async_trait]
impl MediaProvider for WhatsApp {
    async fn upload(&self, number: &Number, mime: &str, content: Bytes) -> Result<MediaId, ProviderError> {
        let unsent = |title: String| ProviderError { code: 0, title, detail: None };
        let id = number.phone_number_id.as_ref();
        let id = id.ok_or_else(|| unsent("the number has no phone_number_id".to_owned()))?;
        let url = self.object(number, &format!("{id}/media")).map_err(unsent)?;
        let part = Part::stream(content).file_name("file").mime_str(mime);
        let part = part.map_err(|error| unsent(failure::detail(&error)))?;
        let form = Form::new().text("messaging_product", "whatsapp").text("type", mime.to_owned());
        let request = self.http.post(url).multipart(form.part("file", part));
        let answer = self.asked(number, request.timeout(TRANSFER_WAIT)).await.map_err(unsent)?;
        uploaded(answer.status, &answer.body)
    }

    async fn fetch(&self, number: &Number, media: &MediaId, max_bytes: u64) -> Result<Bytes, FetchError> {
        // Anew with each attempt: an address can be used for five minutes.
        let described = self.describe(number, media).await.map_err(FetchError::Failed)?;
        let content = self.download(number, &described.url, max_bytes).await?;
        match described.sha256.as_deref().and_then(digest) {
            Some(wanted) if wanted != Sha256::digest(&content).as_slice() => {
                Err(FetchError::Failed("the content is not what the provider described".to_owned()))
            }
            _ => Ok(content),
        }
    }
}

fn authorised(number: &Number, request: RequestBuilder) -> RequestBuilder {
    match &number.secrets.access_token {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

/// Encrypted, or the very host that the number is configured with.
fn may_see_token(number: &Number, url: &Url) -> bool {
    let own = number.base_url.as_deref().and_then(|base| Url::parse(base).ok());
    url.scheme() == "https" || own.is_some_and(|own| own.origin() == url.origin())
}

/// The provider writes hashes in base64 in webhooks, and in hexadecimal digits elsewhere.
fn digest(text: &str) -> Option<Vec<u8>> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).or_else(|_| BASE64.decode(text.as_bytes()));
    bytes.ok().filter(|bytes| bytes.len() == 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d15_hashes_are_read_in_both_forms() {
        let hash = Sha256::digest(b"cv").to_vec();
        assert_eq!(digest(&HEXLOWER_PERMISSIVE.encode(&hash)), Some(hash.clone()));
        assert_eq!(digest(&BASE64.encode(&hash)), Some(hash));
        assert_eq!(digest("c3Vt"), None);
    }
}
