//! A private Redis server: a process on a free port with a folder of its own, killed when it is dropped.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use protocol::shard::ShardCount;
use store::engine::{Durability, RedisOptions};
use tempfile::TempDir;

use super::harness::SHARDS;

/// Below the ports that the system gives to whoever asks for any, so that a server finds its own again.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

pub(super) struct RedisServer {
    child: Child,
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
}

impl RedisServer {
    /// With `settings` as the command line takes them, such as `--maxmemory 10mb`.
    pub(super) fn start(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
        loop {
            let port = free_port();
            if let Some(child) = spawn(port, &folder, &settings) {
                return Self { child, folder, port, settings };
            }
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(super) fn options(&self) -> RedisOptions {
        RedisOptions {
            shards: ShardCount::new(SHARDS).unwrap(),
            durability: Durability::EverySecond,
            ..RedisOptions::new(self.url())
        }
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// After [`Self::kill`], with what is in the folder.
    pub(super) fn restart(&mut self) {
        self.child = spawn(self.port, &self.folder, &self.settings).expect("the port is still ours");
    }

    /// One command, as an operator would type it.
    pub(super) fn command(&self, words: &[&str]) -> String {
        let output =
            Command::new("redis-cli").arg("-p").arg(self.port.to_string()).args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let offset = (std::process::id() * 97) as u16 ^ NEXT.fetch_add(1, Ordering::Relaxed);
        let port = PORTS.start + offset % (PORTS.end - PORTS.start);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Returns when it takes connections; `None` if it ended, because somebody else has the port.
fn spawn(port: u16, folder: &TempDir, settings: &[String]) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--daemonize", "no"]);
    command.arg("--port").arg(port.to_string()).arg("--dir").arg(folder.path()).args(settings);
    let started = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = started.expect("redis-server must be installed: `./task test` does it");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.any(|line| line.is_ok_and(|line| line.contains("Ready to accept connections")));
    // Whatever else it says must be read, or it would stop one day.
    std::thread::spawn(move || lines.for_each(drop));
    if ready {
        return Some(child);
    }
    child.wait().unwrap();
    None
}
