//! The tables of the README.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::Sheet;
use super::suite::Suite;
use crate::bench;
use crate::intake::Intake;
use crate::process::{Durability, Store};

/// The tables stand between these lines.
const BEGIN: &str = "<!-- measured by ./task report -->";
const END: &str = "<!-- end of what was measured -->";

/// Why they were not written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error("cannot read or write {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Its place in the file.
    #[error("{path} has no place for the tables: lines {BEGIN} and {END}")]
    NoPlace {
        /// Which.
        path: PathBuf,
    },
}

/// Puts the tables into a file.
///
/// # Errors
/// See [`Error`].
pub fn put(path: &Path, suite: &Suite) -> Result<(), Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let Some(text) = between(&text, &tables(suite)) else {
        return Err(Error::NoPlace { path: path.to_owned() });
    };
    std::fs::write(path, text).map_err(failed)
}

fn between(text: &str, tables: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{tables}\n{END}{after}"))
}

/// All tables as Markdown.
#[must_use]
pub fn tables(suite: &Suite) -> String {
    let origin = &suite.origin;
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(
        text,
        "{} × {}, {} GiB; commit {}, {}; load of the machine before: {}.\n",
        origin.cores,
        origin.processor,
        origin.memory_bytes >> 30,
        origin.commit,
        &origin.at[..10],
        origin.load_before,
    );
    closed_loops(&mut text, &suite.benches);
    let knee = suite.knee.report.knee.as_ref().map_or(0.0, |knee| knee.rate);
    let ceiling = suite.knee.report.ceilings.as_ref().map(|ceilings| ceilings.signature.per_second);
    let share = ceiling.map_or(String::new(), |ceiling| format!(", {:.2} of the ceiling", knee / ceiling));
    let _ = writeln!(
        text,
        "\nKnee of an ordinary day (`steady`, embedded store): {knee:.0} requests/s{share}.\n"
    );
    profiles(&mut text, &suite.sheets);
    text
}

fn closed_loops(text: &mut String, benches: &[bench::Report]) {
    let name = |bench: &bench::Report| {
        let store = match bench.store {
            Store::Embedded => "embedded",
            Store::Redis => "Redis",
        };
        let durability = match bench.durability {
            Durability::Fsync => "fsync",
            Durability::Everysec => "everysec",
        };
        format!("{store}, {durability}")
    };
    let mut row = |title: &str, of: &dyn Fn(&bench::Report) -> String| {
        let cells: Vec<String> = benches.iter().map(of).collect();
        let _ = writeln!(text, "| {title} | {} |", cells.join(" | "));
    };
    row("as fast as it answers", &name);
    row("---", &|_| "---".to_owned());
    row("ceiling", &|bench| format!("{:.0} k/s", bench.ceiling.per_second / 1e3));
    row("accepted durably, by a node without shards", &|bench| {
        let cell = |intake: &Intake| {
            format!("{:.2} ({:.0} k/s)", intake.accepted_ratio, intake.accepted.per_second / 1e3)
        };
        bench.intake.as_ref().map_or("–".to_owned(), cell)
    });
    row("accepted, applied and committed", &|bench| {
        format!("{:.2} ({:.0} k/s)", bench.committed_ratio, bench.committed_per_second / 1e3)
    });
    row("acknowledged at 70 % of that, p50 / p99", &|bench| {
        format!("{:.0} / {:.0} ms", bench.at_70_percent.p50_ms, bench.at_70_percent.p99_ms)
    });
    row("µs per webhook: gateway / Redis / PostgreSQL", &|bench| {
        let cost = bench.cost_us;
        format!("{:.0} / {:.0} / {:.0}", cost.gateway, cost.redis, cost.postgres)
    });
}

fn profiles(text: &mut String, sheets: &[Sheet]) {
    let _ = writeln!(
        text,
        "| profile, embedded store | due/s | refused | p50 / p99 ms | reply p99 ms | lost, twice, out of order |\n\
         |---|---|---|---|---|---|"
    );
    for sheet in sheets {
        let run = &sheet.report.run;
        let webhooks = &run.webhooks;
        let damage = &sheet.report.damage;
        let _ = writeln!(
            text,
            "| `{}` | {:.0} | {} | {:.1} / {:.0} | {:.0} | {}, {}, {} |",
            sheet.name,
            run.due_per_second,
            webhooks.not_accepted(),
            webhooks.latency_ms.p50,
            webhooks.latency_ms.p99,
            run.replies.latency_ms.p99,
            damage.lost + damage.sends_lost + damage.statuses_lost,
            damage.doubled + damage.double_sends,
            damage.out_of_order,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_measured_is_replaced() {
        let text = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        assert_eq!(between(&text, "new").unwrap(), format!("a\n{BEGIN}\n\nnew\n{END}\nb\n"));
        assert_eq!(between("a\nb\n", "new"), None);
    }
}
