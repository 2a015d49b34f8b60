//! A private Redis server: a process on a free port with a folder of its own, killed when it is dropped.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

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
            // A machine that stops for a while must not fail a test that is not about that.
            answer_timeout: Duration::from_secs(60),
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

/// Three masters on loopback.
pub(super) struct RedisCluster {
    pub(super) servers: Vec<RedisServer>,
}

impl RedisCluster {
    pub(super) fn start() -> Self {
        let servers: Vec<RedisServer> = (0..3).map(|_| member()).collect();
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create", "--cluster-yes"]);
        create.args(servers.iter().map(|server| format!("127.0.0.1:{}", server.port())));
        let output = create.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        // Every node must know the slots of the others, or it would answer that the cluster is down.
        for server in &servers {
            while !server.command(&["CLUSTER", "INFO"]).contains("cluster_state:ok") {}
        }
        Self { servers }
    }

    /// A server that follows a master and has everything that it has.
    pub(super) fn replica_of(&self, master: usize) -> RedisServer {
        let replica = member();
        let address = |server: &RedisServer| format!("127.0.0.1:{}", server.port());
        let id = self.servers[master].command(&["CLUSTER", "MYID"]);
        let mut add = Command::new("redis-cli");
        add.args(["--cluster", "add-node", &address(&replica), &address(&self.servers[master])]);
        let output = add.args(["--cluster-slave", "--cluster-master-id", &id]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        while !replica.command(&["INFO", "replication"]).contains("master_link_status:up") {}
        replica
    }

    /// A store of its own name.
    pub(super) fn options(&self, name: &str) -> RedisOptions {
        let urls = self.servers.iter().map(RedisServer::url).collect();
        RedisOptions { urls, name: name.to_owned(), ..self.servers[0].options() }
    }

    /// The server that holds a key whose name ends so, and the name.
    pub(super) fn holder(&self, pattern: &str) -> (usize, String) {
        let held = self.servers.iter().map(|server| server.command(&["KEYS", pattern]));
        held.enumerate().find(|(_, key)| !key.is_empty()).expect("somebody holds the key")
    }

    /// Moves a slot with all its keys, as `redis-cli --cluster reshard` does.
    pub(super) fn migrate(&self, slot: &str, from: usize, to: usize) {
        let id = |server: usize| self.servers[server].command(&["CLUSTER", "MYID"]);
        let (from_id, to_id) = (id(from), id(to));
        let set = |server: usize, words: [&str; 2]| {
            let mut command = vec!["CLUSTER", "SETSLOT", slot];
            command.extend(words);
            assert_eq!(self.servers[server].command(&command), "OK");
        };
        set(to, ["IMPORTING", &from_id]);
        set(from, ["MIGRATING", &to_id]);
        let port = self.servers[to].port().to_string();
        // Key by key, so that calls meet a slot that is half here and half there.
        loop {
            let key = self.servers[from].command(&["CLUSTER", "GETKEYSINSLOT", slot, "1"]);
            if key.is_empty() {
                break;
            }
            self.servers[from].command(&["MIGRATE", "127.0.0.1", &port, &key, "0", "5000"]);
        }
        set(to, ["NODE", &to_id]);
        set(from, ["NODE", &to_id]);
        for server in 0..self.servers.len() {
            set(server, ["NODE", &to_id]);
        }
    }
}

/// A server that is ready to be in a cluster.
fn member() -> RedisServer {
    let bus = free_port().to_string();
    RedisServer::start(&["--cluster-enabled", "yes", "--cluster-port", &bus])
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
