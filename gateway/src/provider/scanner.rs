//! The virus scanner: a service of the operator behind HTTP.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect;
use runtime::Scanner;
use serde::Deserialize;

use super::failure;
use crate::config::FilesSettings;

/// Posts each file to an address that answers `{"clean": true}` or `{"clean": false}`.
pub struct HttpScanner {
    http: reqwest::Client,
    url: String,
}

#[derive(Deserialize)]
struct Verdict {
    clean: bool,
}

impl HttpScanner {
    /// The scanner of the settings, if they name one.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: &FilesSettings) -> Result<Option<Self>, reqwest::Error> {
        if settings.scan_url.is_empty() {
            return Ok(None);
        }
        let http = reqwest::Client::builder()
            .timeout(Duration::from_millis(settings.scan_timeout_ms))
            .redirect(redirect::Policy::none())
            .build()?;
        Ok(Some(Self { http, url: settings.scan_url.clone() }))
    }
}

#[async_trait]
impl Scanner for HttpScanner {
    async fn scan(&self, mime: &str, content: Bytes) -> Result<bool, String> {
        let request = self.http.post(&self.url).header(CONTENT_TYPE, mime).body(content);
        let response = request.send().await.map_err(|error| failure::detail(&error))?;
        if !response.status().is_success() {
            return Err(format!("HTTP {}", response.status().as_u16()));
        }
        let verdict: Verdict = response.json().await.map_err(|error| failure::detail(&error))?;
        Ok(verdict.clean)
    }
}
