//! A page that needs nothing but itself.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::plots::Plot;
use super::{Origin, Sheet};
use crate::lab::{Ceilings, Judged, Knee, Numbers, PhaseNumbers, Report, Run};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2rem auto;padding:0 1rem;color:#222}\
table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{padding:.2rem .8rem;border-bottom:1px solid #ddd;text-align:right}\
td:first-child,th:first-child{text-align:left}.bad{color:#b00020;font-weight:600}.good{color:#1b7f3b}\
code{background:#f4f4f4;padding:0 .3rem}svg{max-width:100%;height:auto}h2{margin-top:2rem}";

/// The page of one run.
pub(super) fn page(sheet: &Sheet, plots: &[Plot]) -> String {
    let Sheet { name, origin, report } = sheet;
    let body = html! {
        p { (report.profile.summary) "." }
        (origin_of(origin, report))
        h2 { "Verdict" }
        (verdict(report))
        @if !report.objectives.is_empty() { (objectives(&report.objectives)) }
        h2 { "Numbers" }
        (totals(&report.run, report.ceilings.as_ref()))
        @if let Some(knee) = &report.knee { (search(knee)) }
        (phases(&report.run.phases))
        @for plot in plots {
            h2 { (plot.title) }
            (PreEscaped(&plot.svg))
        }
    };
    whole(name, &body)
}

/// Links to the pages of several runs.
pub(super) fn index(sheets: &[&Sheet]) -> String {
    let body = html! { table {
        tr { th { "profile" } th { "due/s" } th { "p50 ms" } th { "p99 ms" } th { "sound" } th { "objectives" } }
        @for Sheet { name, report, .. } in sheets {
            @let latency = report.run.webhooks.latency_ms;
            tr {
                td { a href=(format!("{name}.html")) { (name) } }
                td { (format!("{:.0}", report.run.due_per_second)) }
                td { (format!("{:.1}", latency.p50)) } td { (format!("{:.1}", latency.p99)) }
                @for good in [report.is_sound(), report.keeps_objectives()] {
                    td class=(class(good)) { (if good { "yes" } else { "no" }) }
                }
            }
        }
    } };
    whole("Load reports", &body)
}

fn whole(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { h1 { (title) } (body) }
        }
    };
    page.into_string()
}

fn origin_of(origin: &Origin, report: &Report) -> Markup {
    let gibibytes = origin.memory_bytes >> 30;
    html! {
        table {
            tr { td { "when" } td { (origin.at) } }
            tr { td { "command" } td { code { (origin.command) } } }
            tr { td { "commit" } td { (origin.commit) } }
            tr { td { "machine" } td {
                (origin.cores) " × " (origin.processor) ", " (gibibytes) " GiB, Linux " (origin.kernel)
                ", load before: " (origin.load_before)
            } }
            tr { td { "gateway" } td {
                (report.nodes) " node(s), " (format!("{:?}", report.store).to_lowercase()) ", "
                (format!("{:?}", report.durability).to_lowercase())
            } }
        }
    }
}

fn verdict(report: &Report) -> Markup {
    let damage = &report.damage;
    let limits = &report.limits;
    let rows = [
        (
            "webhook messages acknowledged / found",
            format!("{} / {}", damage.acknowledged, damage.found),
            true,
        ),
        ("lost", damage.lost.to_string(), damage.lost == 0),
        ("there twice", damage.doubled.to_string(), damage.doubled == 0),
        ("out of order", damage.out_of_order.to_string(), damage.out_of_order == 0),
        ("statuses lost", damage.statuses_lost.to_string(), damage.statuses_lost == 0),
        (
            "sends acknowledged / lost",
            format!("{} / {}", damage.sends_acknowledged, damage.sends_lost),
            damage.sends_lost == 0,
        ),
        (
            "accepted by the provider / of these twice",
            format!("{} / {}", limits.accepted, damage.double_sends),
            damage.double_sends == 0,
        ),
        (
            "of one number in its busiest second / allowed",
            format!("{} / {}", limits.busiest_second, limits.throughput_per_second),
            true,
        ),
        (
            "refused by the provider for its limits",
            (limits.over_number_limit + limits.over_pair_limit).to_string(),
            limits.held(),
        ),
    ];
    html! { table { @for (name, value, good) in rows {
        tr { td { (name) } td class=(class(good)) { (value) } }
    } } }
}

fn class(good: bool) -> &'static str {
    if good { "good" } else { "bad" }
}

fn objectives(all: &[Judged]) -> Markup {
    html! {
        table {
            tr { th { "objective" } th { "at most" } th { "measured" } }
            @for Judged { name, at_most, measured, kept } in all {
                tr {
                    td { code { (name) } } td { (at_most) }
                    td class=(class(*kept)) { (measured.map_or("never".to_owned(), |value| format!("{value:.2}"))) }
                }
            }
        }
    }
}

fn totals(run: &Run, ceilings: Option<&Ceilings>) -> Markup {
    let percent = |ratio: f64| format!("{:.0} %", ratio * 100.0);
    let cost = run.cost_us;
    html! { table {
        @if let Some(Ceilings { signature, parsed }) = ceilings {
            tr { td { "ceiling: a bare server that checks the signature" } td { (format!("{:.0}/s", signature.per_second)) } }
            tr { td { "a bare server that also reads the webhook" } td {
                (format!("{:.0}/s, {}", parsed.per_second, percent(parsed.per_second / signature.per_second)))
            } }
        }
        tr { td { "requests due" } td { (format!("{:.0}/s", run.due_per_second)) } }
        tr { td { "accepted" } td {
            (format!("{:.0}/s", run.accepted_per_second))
            @if let Some(ratio) = run.accepted_ratio { ", " (percent(ratio)) " of the ceiling" }
        } }
        tr { td { "inputs applied and committed" } td { (format!("{:.0}/s", run.committed_per_second)) } }
        tr { td { "all committed after the last answer" } td {
            (run.drained_seconds.map_or("not within a minute".to_owned(), |seconds| format!("{seconds:.1} s")))
        } }
        tr { td { "webhook → POST of the bot's reply, p50 / p99" } td {
            (format!("{:.1} / {:.1} ms, {} of {}", run.replies.latency_ms.p50, run.replies.latency_ms.p99,
                run.replies.posted, run.replies.expected))
        } }
        tr { td { "µs of a processor per request: gateway, Redis, PostgreSQL, generator with provider" } td {
            (format!("{:.0}, {:.0}, {:.0}, {:.0}", cost.gateway, cost.redis, cost.postgres, cost.generator))
        } }
        tr { td { "the generator's own lateness, p50 / p99" } td class=(class(run.lateness.is_small())) {
            (format!("{:.1} / {:.1} ms", run.lateness.own_ms.p50, run.lateness.own_ms.p99))
        } }
        tr { td { "requests that waited for a free connection" } td { (percent(run.lateness.waited_for_connection)) } }
    } }
}

fn search(knee: &Knee) -> Markup {
    html! {
        p { "Knee: " strong { (format!("{:.0} requests/s", knee.rate)) } }
        table {
            tr { th { "due" } th { "accepted/s" } th { "p50 ms" } th { "p99 ms" } th { "refused" } th { "broke" } }
            @for step in &knee.steps {
                tr {
                    td { (format!("{:.0}/s", step.rate)) } td { (format!("{:.0}", step.accepted_per_second)) }
                    td { (format!("{:.1}", step.p50_ms)) } td { (format!("{:.1}", step.p99_ms)) }
                    td { (step.not_accepted) } td class=(class(step.broke.is_none())) { (step.broke.unwrap_or("–")) }
                }
            }
        }
    }
}

fn phases(phases: &[PhaseNumbers]) -> Markup {
    let row = |name: String, numbers: &Numbers| {
        let latency = numbers.latency_ms;
        html! { tr {
            td { (name) } td { (numbers.requests) } td { (numbers.accepted) }
            td { (numbers.requests - numbers.accepted - numbers.unsent) } td { (numbers.unsent) }
            @for ms in [latency.p50, latency.p90, latency.p99, latency.p999, latency.max] {
                td { (format!("{ms:.1}")) }
            }
        } }
    };
    html! { table {
        tr {
            th { "phase" } th { "due" } th { "accepted" } th { "refused" } th { "unsent" }
            th { "p50 ms" } th { "p90" } th { "p99" } th { "p99.9" } th { "max" }
        }
        @for phase in phases {
            (row(format!("{}: webhooks", phase.name), &phase.webhooks))
            @for (kind, numbers) in &phase.kinds {
                (row(format!("{}: {}", phase.name, format!("{kind:?}").to_lowercase()), numbers))
            }
            (row(format!("{}: all tenants but the first", phase.name), &phase.others))
        }
    } }
}
