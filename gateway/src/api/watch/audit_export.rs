//! `GET /v1/audit/export`: the whole report as a file.

use actix_web::{HttpResponse, get, web};
use protocol::api::problem::Problem;
use protocol::id::ConversationId;
use protocol::time::TimestampMs;
use serde::Deserialize;
use serde_json::json;
use store::records::PageRequest;
use utoipa::{IntoParams, ToSchema};

use super::audit::{AuditParams, csv_head, csv_line, view};
use crate::api::auth::{Caller, Scope};
use crate::api::download::{Broken, Writer, download};
use crate::api::problem::ApiResult;
use crate::api::query::Query;
use crate::state::AppState;

/// Lines that are read at once: what is in memory at a time.
const PAGE: usize = 200;
/// Lines of one file: what spreadsheets open. Whoever needs more asks for parts by `from` and `to`.
const MAX_LINES: usize = 1_000_000;

/// Query of the export: the filters of the list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportParams {
    /// `csv` unless `json`.
    #[serde(default)]
    #[param(inline)]
    format: Format,
    /// Only this action, such as `conversation.mode_changed`, or all that begin with it when it ends in `.`.
    action: Option<String>,
    /// Only by this user or key, or `contact`, `bot`, `gateway`.
    by: Option<String>,
    /// Only in this conversation.
    conversation_id: Option<ConversationId>,
    /// Only about this, such as `contact/con_…`, or all that begin with it when it ends in `/`: `template/`.
    subject: Option<String>,
    /// At or after.
    from: Option<TimestampMs>,
    /// Before.
    to: Option<TimestampMs>,
}

/// Format of the file.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// One line each, with a head.
    #[default]
    Csv,
    /// `{"data": […]}`.
    Json,
}

/// Who did what, newest first, as one file of at most a million lines, written while it is read.
#[utoipa::path(
    tag = "audit",
    params(ExportParams),
    responses(
        (status = 200, description = "The report, as CSV or as `{\"data\": […]}`", content_type = "text/csv"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/audit/export")]
pub(crate) async fn export_audit(
    state: web::Data<AppState>,
    caller: Caller,
    params: Query<ExportParams>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::AuditRead)?;
    let format = params.format;
    let params = AuditParams {
        limit: None,
        cursor: None,
        action: params.action.clone(),
        by: params.by.clone(),
        conversation_id: params.conversation_id,
        subject: params.subject.clone(),
        from: params.from,
        to: params.to,
    };
    let query = params.query()?;
    let state = state.into_inner();
    let (kind, name) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "audit.csv"),
        Format::Json => ("application/json", "audit.json"),
    };
    Ok(download(kind, name, move |writer| async move {
        let (mut cursor, mut written) = (None, 0);
        begin(&writer, format).await?;
        loop {
            let page = PageRequest { limit: PAGE, cursor };
            let read = state.records.audit(caller.tenant, query.clone(), page).await;
            let page = writer.page(read.map_err(Into::into))?;
            let mut chunk = String::new();
            for entry in page.data {
                let line = view(entry);
                match format {
                    Format::Csv => chunk.push_str(&csv_line(&line)),
                    Format::Json if written == 0 => chunk.push_str(&json!(line).to_string()),
                    Format::Json => chunk.push_str(&format!(",{}", json!(line))),
                }
                written += 1;
            }
            writer.write(chunk).await?;
            cursor = page.next;
            if cursor.is_none() || written >= MAX_LINES {
                return end(&writer, format).await;
            }
        }
    }))
}

async fn begin(writer: &Writer, format: Format) -> Result<(), Broken> {
    match format {
        Format::Csv => writer.write(csv_head()).await,
        Format::Json => writer.write("{\"data\":[").await,
    }
}

async fn end(writer: &Writer, format: Format) -> Result<(), Broken> {
    match format {
        Format::Csv => Ok(()),
        Format::Json => writer.write("]}").await,
    }
}
