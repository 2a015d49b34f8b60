//! `GET /v1/audit`: who did what, as JSON or CSV.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use protocol::api::Page;
use protocol::api::watch::AuditView;
use protocol::command::Party;
use protocol::id::ConversationId;
use protocol::time::TimestampMs;
use serde::Deserialize;
use store::records::{AuditEntry, AuditQuery};
use utoipa::IntoParams;

use crate::api::auth::{Caller, Scope};
use crate::api::page::{Paging, page};
use crate::api::problem::{ApiError, ApiResult};
use crate::api::query::Query;
use crate::api::views;
use crate::state::AppState;

/// Query of the audit.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditParams {
    /// Entries at most, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Only this action, such as `conversation.mode_changed`, or all that begin with it when it ends in `.`.
    action: Option<String>,
    /// Only by this user or key, or `contact`, `bot`, `gateway`.
    by: Option<String>,
    /// Only in this conversation.
    conversation_id: Option<ConversationId>,
    /// At or after.
    from: Option<TimestampMs>,
    /// Before.
    to: Option<TimestampMs>,
}

fn view(entry: AuditEntry) -> AuditView {
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
        ApiError::field("?by", "must be a user id, a key id, `contact`, `bot`, `automation` or `gateway`")
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
    let query = AuditQuery {
        action: params.action.as_deref().map(Into::into),
        by: params.by.as_deref().map(party).transpose()?,
        conversation: params.conversation_id,
        from: params.from,
        to: params.to,
    };
    let found = page(state.records.audit(caller.tenant, query, paging).await?, view);
    let wants_csv = request
        .headers()
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.to_str().is_ok_and(|text| text.contains("text/csv")));
    if wants_csv {
        Ok(HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(csv(&found.data)))
    } else {
        Ok(HttpResponse::Ok().json(found))
    }
}

fn csv(lines: &[AuditView]) -> String {
    let mut text = "at,by,action,subject,data\r\n".to_owned();
    for line in lines {
        let data = line.data.to_string();
        let cells =
            [&line.at.to_string(), &line.by, &line.action, &line.subject, &data].map(|cell| quoted(cell));
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

/// A CSV cell. A leading `=`, `+`, `-` or `@` is defused: spreadsheets would run it as a formula.
fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_cells_cannot_become_formulas() {
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
        assert_eq!(quoted("a \"b\""), "\"a \"\"b\"\"\"");
    }
}
