//! Where numbers come from.

use std::fs;
use std::process::Command;

use serde::Serialize;

/// Machine, commit and command.
#[derive(Clone, Debug, Serialize)]
pub struct Origin {
    /// RFC 3339.
    pub at: String,
    /// What was typed.
    pub command: String,
    /// Of the code; ends with `+` when files were changed since. Empty outside a repository.
    pub commit: String,
    /// Model of the processor.
    pub processor: String,
    /// How many of them this process may use.
    pub cores: usize,
    /// All there is.
    pub memory_bytes: u64,
    /// Version of the operating system's core.
    pub kernel: String,
    /// Processes that wanted to run when it began, averaged over a minute: of other work on the machine.
    pub load_before: f64,
}

impl Origin {
    /// Of this process.
    #[must_use]
    pub fn here() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let meminfo = read("/proc/meminfo");
        let kilobytes = value(&meminfo, "MemTotal").and_then(|total| total.split(' ').next()?.parse().ok());
        Self {
            at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            command: command(),
            commit: commit().unwrap_or_default(),
            processor: value(&cpuinfo, "model name").unwrap_or_default().to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: kilobytes.unwrap_or(0u64) * 1_024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_before: read("/proc/loadavg")
                .split(' ')
                .next()
                .and_then(|load| load.parse().ok())
                .unwrap_or(0.0),
        }
    }
}

/// The value of a line `name : value`.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim())
}

fn command() -> String {
    let mut words = std::env::args();
    let program = words.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ")
}

fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output =
            Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() { commit } else { format!("{commit}+") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_says_what_it_is() {
        assert_eq!(value("a: 1\nmodel name\t: Xeon: 3\n", "model name"), Some("Xeon: 3"));
        let origin = Origin::here();
        assert!(origin.memory_bytes > 1 << 20 && origin.cores > 0 && !origin.kernel.is_empty());
    }
}
