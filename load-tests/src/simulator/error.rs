//! Errors in the Graph API's own form.

use serde_json::{Value, json};

/// One refusal. The code decides; HTTP status and text follow from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GraphError {
    pub(crate) code: i64,
    pub(crate) subcode: Option<i64>,
    pub(crate) details: String,
}

impl GraphError {
    pub(crate) fn new(code: i64, details: impl Into<String>) -> Self {
        Self { code, subcode: None, details: details.into() }
    }

    /// An id that does not exist, or that the token may not see.
    pub(crate) fn unknown_object(id: &str) -> Self {
        let details = format!(
            "Unsupported request. Object with ID '{id}' does not exist, cannot be loaded due to missing \
             permissions, or does not support this operation."
        );
        Self { code: 100, subcode: Some(33), details }
    }

    pub(crate) fn invalid_token() -> Self {
        Self { code: 190, subcode: Some(463), details: "Invalid OAuth access token.".into() }
    }

    pub(crate) fn missing(field: &str) -> Self {
        Self::new(100, format!("The parameter {field} is required."))
    }

    pub(crate) fn http_status(&self) -> u16 {
        shape(self.code).0
    }

    pub(crate) fn title(&self) -> &'static str {
        shape(self.code).1
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> Value {
        let mut error = json!({
            "message": format!("(#{}) {}", self.code, self.title()),
            "type": "OAuthException",
            "code": self.code,
            "error_data": { "messaging_product": "whatsapp", "details": self.details },
            "fbtrace_id": "ASimulatedTraceId",
        });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        json!({ "error": error })
    }

    /// The form inside a `failed` status or a webhook.
    pub(crate) fn in_webhook(&self) -> Value {
        json!({
            "code": self.code,
            "title": self.title(),
            "message": self.title(),
            "error_data": { "details": self.details },
            "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
        })
    }
}

/// HTTP status and title by code (the provider documents the status no longer; these are the last that it did).
fn shape(code: i64) -> (u16, &'static str) {
    match code {
        0 => (401, "AuthException"),
        1 => (400, "API Unknown"),
        2 => (503, "API Service"),
        3 => (500, "API Method"),
        4 => (400, "API Too Many Calls"),
        10 => (403, "Permission Denied"),
        33 => (400, "Parameter value is not valid"),
        100 => (400, "Invalid parameter"),
        190 => (401, "Access token has expired"),
        368 => (403, "Temporarily blocked for policies violations"),
        80007 => (400, "Rate limit issues"),
        130429 => (400, "Rate limit hit"),
        130472 => (400, "User's number is part of an experiment"),
        131000 => (500, "Something went wrong"),
        131005 => (403, "Access denied"),
        131008 => (400, "Required parameter is missing"),
        131009 => (400, "Parameter value is not valid"),
        131016 => (500, "Service unavailable"),
        131021 => (400, "Recipient cannot be sender"),
        131026 => (400, "Message undeliverable"),
        131031 => (403, "Account has been locked"),
        131042 => (400, "Business eligibility payment issue"),
        131047 => (400, "Re-engagement message"),
        131048 => (400, "Spam rate limit hit"),
        131049 => (400, "This message was not delivered to maintain healthy ecosystem engagement."),
        131050 => (400, "User has stopped marketing messages"),
        131051 => (400, "Unsupported message type"),
        131053 => (400, "Media upload error"),
        131055 => (400, "Method not allowed"),
        131056 => (400, "(Business Account, Consumer Account) pair rate limit hit"),
        131057 => (500, "Account in maintenance mode"),
        132000 => (400, "Number of parameters does not match the expected number of params"),
        132001 => (404, "Template name does not exist in the translation"),
        132012 => (400, "Parameter format does not match format in the created template"),
        132015 => (400, "Template is paused"),
        132016 => (400, "Template is disabled"),
        133004 => (503, "Server temporarily unavailable"),
        133010 => (400, "Phone number not registered"),
        135000 => (400, "Generic user error"),
        _ => (400, "Error"),
    }
}
