//! `GET /v1/audit`: who did what, as JSON or CSV.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use protocol::api::Page;
use protocol::api::watch::AuditView;
use protocol::command::Party;
use protocol::id::{ConversationId, KeyId, UserId};
use protocol::time::TimestampMs;
use serde::Deserialize;
use store::records::{AuditEntry, AuditQuery};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::api::auth::{Caller, Scope};
use crate::api::csv;
use crate::api::page::{Paging, page};
use crate::api::problem::{ApiError, ApiResult};
use crate::api::query::{Query, in_order};
use crate::api::views;
use crate::state::AppState;

/// Query of the audit.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditParams {
    /// Entries at most, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub(super) limit: Option<usize>,
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
    /// Only this action, such as `conversation.mode_changed`, or all that begin with it when it ends in `.`.
    pub(super) action: Option<String>,
    /// Only by this user or key, or `contact`, `bot`, `automation`, `gateway`.
    #[param(value_type = Option<PartyName>, inline)]
    pub(super) by: Option<String>,
    /// Only in this conversation.
    pub(super) conversation_id: Option<ConversationId>,
    /// Only about this, such as `contact/con_…`, or all that begin with it when it ends in `/`: `template/`.
    pub(super) subject: Option<String>,
    /// At or after.
    pub(super) from: Option<TimestampMs>,
    /// Before.
    pub(super) to: Option<TimestampMs>,
}

impl AuditParams {
    /// What the records are asked for.
    pub(super) fn query(&self) -> ApiResult<AuditQuery> {
        in_order(self.from, self.to)?;
        Ok(AuditQuery {
            action: self.action.as_deref().map(Into::into),
            by: self.by.as_deref().map(party).transpose()?,
            conversation: self.conversation_id,
            subject: self.subject.as_deref().map(Into::into),
            from: self.from,
            to: self.to,
        })
    }
}

pub(super) fn view(entry: AuditEntry) -> AuditView {
    let subject = match (&entry.subject, entry.conversation) {
        (Some(subject), _) => subject.to_string(),
        (None, Some(conversation)) => conversation.to_string(),
        (None, None) => String::new(),
    };
    AuditView {
        at: entry.at,
        by: views::party(entry.by),
        action: entry.action.to_string(),
        subject,
        data: entry.detail,
    }
}

/// How somebody who does things is documented.
pub(crate) struct PartyName;

impl PartialSchema for PartyName {
    fn schema() -> RefOr<Schema> {
        let pattern = format!("^(contact|bot|automation|gateway|{}|{})$", UserId::PATTERN, KeyId::PATTERN);
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).examples(["bot"]).into()
    }
}

impl ToSchema for PartyName {}

fn party(text: &str) -> ApiResult<Party> {
    match text {
        "contact" => return Ok(Party::Contact),
        "bot" => return Ok(Party::Bot),
        "automation" => return Ok(Party::Automation),
        "gateway" => return Ok(Party::Gateway),
        _ => {}
    }
    let user = text.parse().map(Party::User);
    user.or_else(|_| text.parse().map(Party::Service)).map_err(|_| {
        ApiError::malformed("?by", "must be a user id, a key id, `contact`, `bot`, `automation` or `gateway`")
    })
}

/// Who did what, newest first. With `Accept: text/csv` the same page as CSV.
#[utoipa::path(tag = "audit", params(AuditParams), responses((status = 200, body = Page<AuditView>)))]
#[get("/audit")]
pub(crate) async fn list_audit(
    state: web::Data<AppState>,
    caller: Caller,
    request: HttpRequest,
    params: Query<AuditParams>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::AuditRead)?;
    let paging = Paging { limit: params.limit, cursor: params.cursor.clone() }.request()?;
    let query = params.query()?;
    let found = page(state.records.audit(caller.tenant, query, paging).await?, view);
    let wants_csv = request
        .headers()
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.to_str().is_ok_and(|text| text.contains("text/csv")));
    if wants_csv {
        Ok(HttpResponse::Ok().content_type(csv::CONTENT_TYPE).body(report(&found.data)))
    } else {
        Ok(HttpResponse::Ok().json(found))
    }
}

fn report(lines: &[AuditView]) -> String {
    let lines = lines.iter().map(csv_line);
    std::iter::once(csv_head()).chain(lines).collect()
}

/// First line of a report.
pub(super) fn csv_head() -> String {
    csv::line(&["at", "by", "action", "subject", "data"])
}

pub(super) fn csv_line(line: &AuditView) -> String {
    let (at, data) = (line.at.to_string(), line.data.to_string());
    csv::line(&[&at, &line.by, &line.action, &line.subject, &data])
}
