//! `GET /v1/audit/export`: the whole report as a file.

use actix_web::{HttpResponse, get, web};
use protocol::api::Page;
use protocol::api::problem::Problem;
use protocol::api::watch::AuditView;
use protocol::id::ConversationId;
use protocol::time::TimestampMs;
use serde::Deserialize;
use store::records::AuditEntry;
use utoipa::IntoParams;

use super::audit::{AuditParams, PartyName, csv_head, csv_line, view};
use crate::api::auth::{Caller, Scope};
use crate::api::download::{Format, MAX_LINES, download};
use crate::api::problem::ApiResult;
use crate::api::query::Query;
use crate::state::AppState;

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
    /// Only by this user or key, or `contact`, `bot`, `automation`, `gateway`.
    #[param(value_type = Option<PartyName>, inline)]
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

/// Who did what, newest first, as one file of at most a million lines, written while it is read.
#[utoipa::path(
    tag = "audit",
    params(ExportParams),
    responses(
        (status = 200, description = "The report", content((String = "text/csv"), (Page<AuditView> = "application/json"))),
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
    let name = format!("audit.{}", format.extension());
    Ok(download(format.media_type(), &name, move |writer| async move {
        let read = async |page| state.records.audit(caller.tenant, query.clone(), page).await;
        match format {
            Format::Csv => {
                writer.write(csv_head()).await?;
                let write = async |entries: Vec<AuditEntry>| {
                    let lines = entries.into_iter().map(|entry| csv_line(&view(entry)));
                    writer.write(lines.collect::<String>()).await
                };
                writer.pages(MAX_LINES, read, write).await
            }
            Format::Json => {
                writer.write("{\"data\":[").await?;
                let mut comma = "";
                let write = async |entries: Vec<AuditEntry>| {
                    writer.list(&mut comma, entries.into_iter().map(view)).await
                };
                writer.pages(MAX_LINES, read, write).await?;
                writer.write("]}").await
            }
        }
    }))
}
