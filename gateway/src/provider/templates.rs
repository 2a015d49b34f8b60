//! Calls about templates. Each may be repeated, so a lost answer costs nothing.

use async_trait::async_trait;
use protocol::content::ProviderError;
use protocol::directory::Number;
use protocol::id::WabaId;
use protocol::whatsapp::template::{Listing, Method, Request, TemplateAnswer, TemplateCall, list_request};
use reqwest::{RequestBuilder, Url};
use runtime::TemplateProvider;

use super::failure;
use super::whatsapp::{GRAPH_HOST, ReadAnswer, WhatsApp};

/// A page of 50 templates with all their components; what is longer is not read to its end.
const MAX_PAGE_BYTES: usize = 1024 * 1024;

impl WhatsApp {
    /// A request with the number's token; `None` when the number's address is not one.
    fn graph(&self, number: &Number, request: &Request) -> Option<RequestBuilder> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let base = number.base_url.as_deref().unwrap_or(GRAPH_HOST).trim_end_matches('/');
        let mut url = Url::parse(&format!("{base}/{}/{}", number.api_version, request.path)).ok()?;
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut call = self.http.request(method, url);
        if let Some(token) = &number.secrets.access_token {
            call = call.bearer_auth(token);
        }
        Some(match &request.body {
            Some(body) => call.json(body),
            None => call,
        })
    }

    async fn answer(&self, number: &Number, request: &Request) -> Result<ReadAnswer, String> {
        let call = self.graph(number, request);
        let call = call.ok_or_else(|| "the number's `base_url` is not an address".to_owned())?;
        let answered = match call.send().await {
            Ok(response) => ReadAnswer::read(response, MAX_PAGE_BYTES).await,
            Err(error) => Err(error),
        };
        answered.map_err(|error| failure::detail(&error))
    }
}

#[async_trait]
impl TemplateProvider for WhatsApp {
    async fn call(&self, number: &Number, account: &WabaId, call: TemplateCall) -> TemplateAnswer {
        match self.answer(number, &call.request(account.as_str())).await {
            Ok(answer) => TemplateAnswer::read(answer.status, &answer.body),
            Err(detail) => TemplateAnswer::NoAnswer { detail },
        }
    }

    async fn list(
        &self,
        number: &Number,
        account: &WabaId,
        name: Option<&str>,
        after: Option<&str>,
    ) -> Result<Listing, ProviderError> {
        match self.answer(number, &list_request(account.as_str(), name, after)).await {
            Ok(answer) => Listing::read(answer.status, &answer.body),
            Err(detail) => Err(ProviderError { code: 0, title: detail, detail: None }),
        }
    }
}
