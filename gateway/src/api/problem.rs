//! Every error answer of the API, as RFC 9457 problem details. The one map from inner errors to HTTP.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use domain::limits::WINDOW;
use protocol::api::conversation::WindowView;
use protocol::api::problem::{FieldError, Problem, UsableTemplate};
use protocol::command::Refusal;
use protocol::time::TimestampMs;
use runtime::{CommandError, InspectError};
use store::engine::EngineError;
use store::records::RecordsError;

/// The media type of problems.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// Seconds after which a caller may try again when the store cannot answer now.
const RETRY_AFTER_SECONDS: u64 = 1;

/// An error on its way to the caller. Boxed: results of handlers stay small.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Problem>);

/// Results of handlers.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// A problem with a status, a stable code, a title that never changes and a detail for this case.
    pub(crate) fn new(status: StatusCode, code: &str, title: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem {
            kind: format!("urn:problem:{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.to_owned(),
            ..Problem::default()
        }))
    }

    /// Nothing of that name is visible to the caller's tenant.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", format!("there is no such {what}"))
    }

    /// The request breaks the contract at one field: what it says there no schema allows.
    pub(crate) fn malformed(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::malformed_fields(vec![FieldError { pointer: pointer.into(), detail: detail.into() }])
    }

    /// As [`Self::malformed`], for several fields at once.
    pub(crate) fn malformed_fields(errors: Vec<FieldError>) -> Self {
        Self::at((StatusCode::BAD_REQUEST, "malformed", "Malformed request"), errors)
    }

    /// The request keeps the contract but says something at one field that cannot be done.
    pub(crate) fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::fields(vec![FieldError { pointer: pointer.into(), detail: detail.into() }])
    }

    /// As [`Self::field`], for several fields at once.
    pub(crate) fn fields(errors: Vec<FieldError>) -> Self {
        Self::at((StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Invalid request"), errors)
    }

    fn at((status, code, title): (StatusCode, &str, &str), errors: Vec<FieldError>) -> Self {
        let detail =
            errors.iter().map(|e| format!("{}: {}", e.pointer, e.detail)).collect::<Vec<_>>().join("; ");
        let mut error = Self::new(status, code, title, detail);
        error.0.errors = errors;
        error
    }

    /// The same about a field that the caller has elsewhere.
    pub(crate) fn moved(mut self, from: &str, to: &str) -> Self {
        for field in self.0.errors.iter_mut().filter(|field| field.pointer == from) {
            field.pointer = to.to_owned();
            self.0.detail = self.0.detail.replace(from, to);
        }
        self
    }

    /// Values of a template that are missing, have to be chosen, or that it does not want.
    pub(crate) fn template_values(errors: Vec<FieldError>) -> Self {
        let told = Self::fields(errors);
        let refusal = Refusal::TemplateParameters { expected: Vec::new(), given: 0 };
        let mut error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, refusal.code(), title_of(&refusal), "");
        (error.0.detail, error.0.errors) = (told.0.detail, told.0.errors);
        error
    }

    /// What `If-Match` names is not what is there.
    pub(crate) fn changed(what: &str) -> Self {
        let detail = format!("{what}: read it again and repeat the change with its ETag");
        Self::new(StatusCode::PRECONDITION_FAILED, "changed_meanwhile", "Changed by somebody else", detail)
    }

    /// Whether it has this status.
    pub(crate) fn is(&self, status: StatusCode) -> bool {
        self.0.status == status.as_u16()
    }

    /// The store cannot answer now.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        let mut error =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Try again shortly", detail);
        error.0.retry_after = Some(RETRY_AFTER_SECONDS);
        error
    }

    /// A tenant asks for more at once than its share. Not logged: it would do so again at once.
    fn busy() -> Self {
        let detail =
            "too many requests of this tenant wait for their result; nothing was stored, repeat this one";
        let mut error =
            Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests wait", detail);
        error.0.retry_after = Some(RETRY_AFTER_SECONDS);
        error
    }

    /// What the caller did was refused by the conversation.
    pub(crate) fn refused(refusal: &Refusal) -> Self {
        let mut error = Self::new(status_of(refusal), refusal.code(), title_of(refusal), detail_of(refusal));
        match refusal {
            Refusal::WindowClosed { since, templates } => {
                error.0.window = Some(WindowView {
                    open: false,
                    opened_at: since.map(|end| end - WINDOW),
                    expires_at: *since,
                });
                error.0.templates = templates
                    .iter()
                    .map(|hint| UsableTemplate {
                        name: hint.name.to_string(),
                        language: hint.language.to_string(),
                        parameters: hint.parameters.iter().map(ToString::to_string).collect(),
                    })
                    .collect();
            }
            Refusal::QueueFull { .. } | Refusal::NumberNotReady => {
                error.0.retry_after = Some(RETRY_AFTER_SECONDS);
            }
            Refusal::InvalidContent { pointer, detail } => {
                error.0.errors = vec![FieldError { pointer: pointer.to_string(), detail: detail.clone() }];
            }
            _ => {
                let at = place_of(refusal).into_iter();
                error.0.errors =
                    at.map(|at| FieldError { pointer: at.into(), detail: detail_of(refusal) }).collect();
            }
        }
        error
    }
}

/// The field of a send that a refusal is about, where it is always the same one.
fn place_of(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::TemplateNotFound { languages } if languages.is_empty() => Some("/template/name"),
        Refusal::TemplateNotFound { .. } => Some("/template/language"),
        Refusal::TemplateNotApproved { .. } => Some("/template/name"),
        Refusal::TemplateParameters { .. } => Some("/template/parameters"),
        _ => None,
    }
}

fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::NotFound => StatusCode::NOT_FOUND,
        Refusal::QueueFull { .. } => StatusCode::TOO_MANY_REQUESTS,
        Refusal::AlreadyOwned { .. } => StatusCode::CONFLICT,
        Refusal::InsufficientCredits { .. } => StatusCode::PAYMENT_REQUIRED,
        Refusal::Expired | Refusal::NumberNotReady => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn title_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::WindowClosed { .. } => "The 24-hour window is closed",
        Refusal::OptedOut { .. } => "The contact opted out",
        Refusal::Blocked => "The contact is blocked",
        Refusal::Left => "The tenant left the chat",
        Refusal::OptInRequired => "The contact has not opted in",
        Refusal::UnsupportedDestination { .. } => "The destination is not supported",
        Refusal::TemplateNotFound { .. } => "No such template",
        Refusal::TemplateNotApproved { .. } => "The template is not approved",
        Refusal::TemplateParameters { .. } => "The parameters do not fit the template",
        Refusal::NumberDisabled => "The number is disabled",
        Refusal::NotSupported { .. } => "The channel cannot do that",
        Refusal::QueueFull { .. } => "Too many messages wait in this conversation",
        Refusal::InvalidContent { .. } => "Invalid content",
        Refusal::Expired => "The command expired before it was applied",
        Refusal::NotFound => "Not found",
        Refusal::NumberNotReady => "The number was added a moment ago",
        Refusal::AlreadyOwned { .. } => "Somebody else has the conversation",
        Refusal::TooManyFollowers { .. } => "Too many people follow the conversation",
        Refusal::InsufficientCredits { .. } => "The credits do not cover the message",
        Refusal::KeyReused => "The idempotency key was used for something else",
    }
}

/// Why a command was refused, and the cure.
pub(crate) fn detail_of(refusal: &Refusal) -> String {
    match refusal {
        Refusal::WindowClosed { since: Some(since), .. } => {
            format!(
                "closed since {since}: only an approved template may be sent until the contact writes again"
            )
        }
        Refusal::WindowClosed { since: None, .. } => {
            "the contact has never written: begin with an approved template".to_owned()
        }
        Refusal::OptedOut { since } => {
            format!("opted out at {since}; messages may be sent again after an explicit opt-in")
        }
        Refusal::Blocked => "unblock the contact with PUT /v1/conversations/{id}/block first".to_owned(),
        Refusal::Left => "come back with PUT /v1/conversations/{id}/left first".to_owned(),
        Refusal::OptInRequired => "bulk sends need a recorded opt-in".to_owned(),
        Refusal::UnsupportedDestination { country } => {
            format!("the provider does not deliver to {country}")
        }
        Refusal::TemplateNotFound { languages } if languages.is_empty() => {
            "no template has this name; GET /v1/templates lists them".to_owned()
        }
        Refusal::TemplateNotFound { languages } => {
            format!("the template exists in {}, not in this language", languages.join(", "))
        }
        Refusal::TemplateNotApproved { status } => {
            format!("its status at the provider is `{status}`")
        }
        Refusal::TemplateParameters { expected, given } => {
            format!("expected {} ({}), got {given}", expected.len(), expected.join(", "))
        }
        Refusal::NumberDisabled => "enable it with PATCH /v1/numbers/{id}".to_owned(),
        Refusal::NotSupported { capability } => {
            format!("the channel has no `{capability}`")
        }
        Refusal::AlreadyOwned { owner } => {
            format!("{owner} has it; give it away with PUT /v1/conversations/{{id}}/owner")
        }
        Refusal::TooManyFollowers { limit } => format!("{limit} users follow it already"),
        Refusal::QueueFull { limit } => {
            format!("{limit} messages wait already; try again when some have left")
        }
        Refusal::InvalidContent { pointer, detail } => format!("{pointer}: {detail}"),
        Refusal::InsufficientCredits { detail } => detail.clone(),
        Refusal::Expired => "nothing was done; try again".to_owned(),
        Refusal::NotFound => "there is no such conversation".to_owned(),
        Refusal::NumberNotReady => {
            "it is being told who opted out or was blocked; it can send in a few seconds".to_owned()
        }
        Refusal::KeyReused => "use a new Idempotency-Key, or repeat the request exactly as it was".to_owned(),
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::refused(&refusal)
    }
}

impl From<RecordsError> for ApiError {
    fn from(error: RecordsError) -> Self {
        match error {
            RecordsError::PageCursor => Self::field("?cursor", error.to_string()),
            RecordsError::Invalid { field, detail } => Self::field(format!("/{field}"), detail),
            RecordsError::Conflict { .. } => Self::changed(&error.to_string()),
            other => {
                tracing::error!(error = &other as &dyn std::error::Error, "the records store failed");
                Self::unavailable("the records store cannot answer now")
            }
        }
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        tracing::warn!(error = &error as &dyn std::error::Error, "the engine store failed");
        Self::unavailable("the store cannot answer now")
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        if matches!(error, CommandError::Busy) {
            return Self::busy();
        }
        tracing::warn!(error = &error as &dyn std::error::Error, "a command was not answered");
        Self::unavailable(
            "the command was not confirmed in time; repeat it with the same Idempotency-Key to learn its result",
        )
    }
}

impl From<InspectError> for ApiError {
    fn from(error: InspectError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a conversation cannot be shown");
        Self::unavailable("the conversation cannot be loaded now")
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        answer.insert_header((header::CONTENT_TYPE, MEDIA_TYPE));
        if let Some(seconds) = self.0.retry_after {
            answer.insert_header((header::RETRY_AFTER, seconds));
        }
        if self.0.status == 401 {
            answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        answer.json(&self.0)
    }
}

/// Since when a closed window is closed; `expires_at` of a [`WindowView`].
#[must_use]
pub(crate) fn window_view(
    opened_at: Option<TimestampMs>,
    expires_at: Option<TimestampMs>,
    now: TimestampMs,
) -> WindowView {
    WindowView { open: expires_at.is_some_and(|end| now < end), opened_at, expires_at }
}
