//! One running process.

use std::io;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// The unit of `/proc/…/stat`: Linux tells every program that a second has 100 of them.
const TICKS_PER_SECOND: f64 = 100.0;
const POLL: Duration = Duration::from_millis(5);

/// A running process; it is killed when this is dropped.
pub struct Process {
    child: Child,
}

impl Process {
    /// Takes over a child.
    #[must_use]
    pub fn of(child: Child) -> Self {
        Self { child }
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Asks it to end (`SIGTERM`).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn terminate(&self) -> io::Result<()> {
        self.signal(Signal::TERM)
    }

    /// Stops it in the middle of whatever it does (`SIGSTOP`).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn pause(&self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on (`SIGCONT`).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn resume(&self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When the system does not tell.
    pub async fn end(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Resident memory in bytes now and at its highest, as the system tells.
    #[must_use]
    pub fn memory_bytes(&self) -> Option<(u64, u64)> {
        resident_bytes(self.child.id())
    }

    /// Seconds of a processor that it has used, and its children that have ended.
    #[must_use]
    pub fn cpu_seconds(&self) -> f64 {
        cpu_seconds(self.child.id())
    }

    /// Stops it and the processes that it has started (`SIGSTOP`).
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn pause_family(&self) -> io::Result<()> {
        // The parent first: it starts nobody while its children are stopped.
        self.pause()?;
        self.signal_children(Signal::STOP)
    }

    /// Lets it and the processes that it has started go on (`SIGCONT`).
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn resume_family(&self) -> io::Result<()> {
        self.signal_children(Signal::CONT)?;
        self.resume()
    }

    fn signal_children(&self, signal: Signal) -> io::Result<()> {
        let mut pids = self.children().into_iter().filter_map(|pid| Pid::from_raw(pid.cast_signed()));
        pids.try_for_each(|pid| Ok(kill_process(pid, signal)?))
    }

    /// Processes that it has started itself.
    pub(super) fn children(&self) -> Vec<u32> {
        let pid = self.child.id();
        let children =
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        children.split_whitespace().filter_map(|child| child.parse().ok()).collect()
    }
}

/// Resident memory of a process in bytes now and at its highest.
pub(crate) fn resident_bytes(pid: u32) -> Option<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kilobytes = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    Some((kilobytes("VmRSS:")? * 1_024, kilobytes("VmHWM:")? * 1_024))
}

/// Seconds of a processor that a process has used, and its children that have ended.
pub(crate) fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may contain anything; behind it utime, stime, cutime, cstime are numbers 12 to 15.
    let behind = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = behind.split(' ').skip(11).take(4).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_PER_SECOND
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only when it has ended already.
        let _ = self.kill();
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_is_stopped_and_goes_on() {
        let mut process = Process::of(Command::new("sleep").arg("1000").spawn().unwrap());
        process.pause().unwrap();
        process.terminate().unwrap();
        assert!(process.ended().unwrap().is_none(), "a stopped process does not hear");
        process.resume().unwrap();
        let ended = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        assert!(!ended.block_on(process.end()).unwrap().success());
    }

    #[test]
    fn work_is_counted() {
        let before = cpu_seconds(std::process::id());
        while cpu_seconds(std::process::id()) <= before {
            std::hint::black_box((0..10_000u64).sum::<u64>());
        }
    }
}
