//! `GET /v1/credits/statements/{month}`: what happened to the credits in a month.

use actix_web::{HttpResponse, get, web};
use domain::credits::month;
use domain::metering::time_zone;
use jiff::civil::Date;
use protocol::api::billing::{MoneyView, StatementLineView, StatementView};
use protocol::api::problem::Problem;
use protocol::pricing::Money;
use protocol::time::TimestampMs;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;
use store::records::StatementLine;
use utoipa::IntoParams;

use super::{credits, money, words};
use crate::api::auth::{Caller, Scope};
use crate::api::command::now;
use crate::api::csv;
use crate::api::download::{Format, download};
use crate::api::known;
use crate::api::problem::{ApiError, ApiResult};
use crate::api::query::Query;
use crate::state::AppState;

/// Query of a statement.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatementParams {
    /// `json` unless `csv`.
    #[param(inline)]
    format: Option<Format>,
}

/// What happened to the credits in a calendar month of the tenant's time zone, oldest first: the balance before, every change
/// with its reason, and the balance after. Written while it is read; the month that is under way ends with what is
/// known now.
#[utoipa::path(
    tag = "billing",
    params(
        ("month" = String, Path, pattern = "^20[0-9]{2}-(0[1-9]|1[0-2])$", description = "Such as `2026-11`"),
        StatementParams,
    ),
    responses(
        (status = 200, description = "The statement", content((StatementView = "application/json"), (String = "text/csv"))),
        (status = 404, body = Problem, description = "The tenant does not pay in advance", content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/credits/statements/{month}")]
pub(crate) async fn get_statement(
    state: web::Data<AppState>,
    caller: Caller,
    path: web::Path<String>,
    params: Query<StatementParams>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::BillingRead)?;
    let day = first_day(&path)?;
    let held = known::tenant(&state, &caller)?;
    let zone = time_zone(&held.tenant.time_zone);
    let span = month(day, &zone);
    let currency = credits::account(&state, &caller).await?.currency;
    let before = state.records.balance_at(caller.tenant, span.0).await?;
    let opening = before.unwrap_or(Money { amount: Decimal::ZERO, currency });
    let format = params.format.unwrap_or(Format::Json);
    let name = format!("credits-{}.{}", *path, format.extension());
    let head = StatementView {
        month: path.into_inner(),
        time_zone: held.tenant.time_zone.to_string(),
        from: span.0,
        to: span.1,
        opening: money(&opening),
        lines: Vec::new(),
        closing: None,
        complete: None,
    };
    let begin = match format {
        Format::Csv => csv_begin(&head),
        Format::Json => json_begin(&head)?,
    };
    let state = state.into_inner();
    Ok(download(format.media_type(), &name, move |writer| async move {
        let mut balance = opening;
        writer.write(begin).await?;
        let read = async |page| state.records.credit_statement(caller.tenant, span, page).await;
        match format {
            Format::Csv => {
                let write = async |lines: Vec<StatementLine>| {
                    let lines = lines.into_iter().map(|line| csv_line(&view(&mut balance, line)));
                    writer.write(lines.collect::<String>()).await
                };
                writer.pages(usize::MAX, read, write).await?;
                writer
                    .write(csv_balance(now().clamp(span.0, span.1), "closing_balance", &money(&balance)))
                    .await
            }
            Format::Json => {
                let mut comma = "";
                let write = async |lines: Vec<StatementLine>| {
                    writer.list(&mut comma, lines.into_iter().map(|line| view(&mut balance, line))).await
                };
                writer.pages(usize::MAX, read, write).await?;
                let (closing, complete) = (json!(money(&balance)), now() >= span.1);
                writer.write(format!("],\"closing\":{closing},\"complete\":{complete}}}")).await
            }
        }
    }))
}

fn first_day(month: &str) -> ApiResult<Date> {
    let is_month = month.len() == 7 && month.starts_with("20");
    let day = if is_month { format!("{month}-01").parse().ok() } else { None };
    day.ok_or_else(|| ApiError::malformed("/month", "must be a month such as 2026-11"))
}

/// The balance follows from the lines, so that a statement adds up whatever happens while it is written.
fn view(balance: &mut Money, line: StatementLine) -> StatementLineView {
    let StatementLine { entry, explanation } = line;
    balance.amount = (balance.amount + entry.amount.amount).normalize();
    StatementLineView {
        balance: money(balance),
        explanation: explanation.as_ref().map(words).or_else(|| credits::words(&entry)),
        entry: credits::entry(entry),
    }
}

/// The statement up to its list, which stays open.
fn json_begin(head: &StatementView) -> ApiResult<String> {
    let whole = serde_json::to_string(head).map_err(|error| {
        tracing::error!(%error, "a statement could not be written as JSON");
        ApiError::unavailable("the statement could not be written")
    })?;
    Ok(whole.trim_end_matches("]}").to_owned())
}

fn csv_begin(head: &StatementView) -> String {
    let names = ["at", "kind", "added", "taken", "balance", "currency", "message", "reference", "why"];
    csv::line(&names) + &csv_balance(head.from, "opening_balance", &head.opening)
}

fn csv_balance(at: TimestampMs, kind: &str, balance: &MoneyView) -> String {
    csv::line(&[&at.to_string(), kind, "", "", &balance.amount, &balance.currency, "", "", ""])
}

/// What is added and what is taken stand apart: spreadsheets take a leading minus for a formula.
fn csv_line(line: &StatementLineView) -> String {
    let entry = &line.entry;
    let (added, taken) = match entry.amount.amount.strip_prefix('-') {
        Some(taken) => ("", taken),
        None => (entry.amount.amount.as_str(), ""),
    };
    csv::line(&[
        &entry.at.to_string(),
        &entry.kind,
        added,
        taken,
        &line.balance.amount,
        &line.balance.currency,
        &entry.message_id.map(|id| id.to_string()).unwrap_or_default(),
        entry.reference.as_deref().unwrap_or_default(),
        line.explanation.as_deref().unwrap_or_default(),
    ])
}
