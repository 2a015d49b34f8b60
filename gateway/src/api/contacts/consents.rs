//! `GET /v1/consents`: who agreed, who refused, since when and in which words; also as a file.

use actix_web::{HttpResponse, get, web};
use protocol::api::Page;
use protocol::api::contact::{ConsentLineView, ConsentView};
use protocol::api::problem::Problem;
use protocol::command::{Consent, ConsentSource};
use protocol::content::Channel;
use protocol::time::TimestampMs;
use serde::Deserialize;
use store::records::{ConsentLine, ConsentQuery};
use utoipa::IntoParams;

use crate::api::auth::{Caller, Scope};
use crate::api::csv;
use crate::api::download::{MAX_LINES, download};
use crate::api::page::{Paging, page};
use crate::api::problem::ApiResult;
use crate::api::query::{Query, in_order};
use crate::api::views;
use crate::state::AppState;

/// Query of the report.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsentParams {
    /// Entries at most, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// On this channel; `whatsapp` when left out.
    channel: Option<Channel>,
    /// Only in this state.
    consent: Option<Consent>,
    /// Only given this way.
    source: Option<ConsentSource>,
    /// At or after.
    from: Option<TimestampMs>,
    /// Before.
    to: Option<TimestampMs>,
}

/// Query of the file: the filters of the report.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsentExportParams {
    /// On this channel; `whatsapp` when left out.
    channel: Option<Channel>,
    /// Only in this state.
    consent: Option<Consent>,
    /// Only given this way.
    source: Option<ConsentSource>,
    /// At or after.
    from: Option<TimestampMs>,
    /// Before.
    to: Option<TimestampMs>,
}

impl ConsentExportParams {
    fn query(self) -> ApiResult<ConsentQuery> {
        let Self { channel, consent, source, from, to } = self;
        in_order(from, to)?;
        Ok(ConsentQuery { channel: channel.unwrap_or(Channel::Whatsapp), consent, source, from, to })
    }
}

fn view(channel: Channel, line: ConsentLine) -> ConsentLineView {
    ConsentLineView {
        contact: views::contact(&line.contact, channel),
        by: views::party(line.record.by),
        consent: ConsentView {
            channel,
            consent: line.record.consent,
            source: line.record.source,
            text: line.record.text,
            at: line.record.at,
        },
    }
}

/// The latest word of each contact on a channel, newest first. Whoever is not listed was never asked.
#[utoipa::path(
    tag = "contacts",
    params(ConsentParams),
    responses(
        (status = 200, body = Page<ConsentLineView>),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/consents")]
pub(crate) async fn list_consents(
    state: web::Data<AppState>,
    caller: Caller,
    params: Query<ConsentParams>,
) -> ApiResult<web::Json<Page<ConsentLineView>>> {
    caller.require(Scope::ContactsRead)?;
    let paging = Paging { limit: params.limit, cursor: params.cursor.clone() }.request()?;
    let ConsentParams { channel, consent, source, from, to, .. } = *params;
    let query = ConsentExportParams { channel, consent, source, from, to }.query()?;
    let rows = state.records.consents(caller.tenant, query, paging).await?;
    Ok(web::Json(page(rows, |line| view(query.channel, line))))
}

/// The same as a CSV file of at most a million lines, written while it is read.
#[utoipa::path(
    tag = "contacts",
    params(ConsentExportParams),
    responses(
        (status = 200, description = "The report", content_type = "text/csv"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/consents/export")]
pub(crate) async fn export_consents(
    state: web::Data<AppState>,
    caller: Caller,
    params: Query<ConsentExportParams>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::ContactsRead)?;
    let query = params.query()?;
    let state = state.into_inner();
    Ok(download(csv::CONTENT_TYPE, "consents.csv", move |writer| async move {
        let head = ["contact", "phone", "name", "channel", "consent", "source", "by", "at", "text"];
        writer.write(csv::line(&head)).await?;
        let read = async |page| state.records.consents(caller.tenant, query, page).await;
        let write = async |lines: Vec<ConsentLine>| {
            let lines = lines.into_iter().map(|line| csv_line(&view(query.channel, line)));
            writer.write(lines.collect::<String>()).await
        };
        writer.pages(MAX_LINES, read, write).await
    }))
}

fn csv_line(line: &ConsentLineView) -> String {
    let (contact, consent) = (&line.contact, &line.consent);
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    csv::line(&[
        &contact.id.to_string(),
        contact.phone.as_deref().unwrap_or_default(),
        contact.name.as_deref().unwrap_or_default(),
        &word(serde_json::json!(consent.channel)),
        &word(serde_json::json!(consent.consent)),
        &word(serde_json::json!(consent.source)),
        &line.by,
        &consent.at.to_string(),
        consent.text.as_deref().unwrap_or_default(),
    ])
}
