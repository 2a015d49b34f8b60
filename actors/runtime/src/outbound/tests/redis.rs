//! The same on a real Redis. Its functions are told the virtual time, and calls to it block that time.

use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use store::engine::{Clock, Durability, RedisEngine, RedisOptions};
use tempfile::TempDir;

use super::*;

/// A server on a socket in a folder of its own, and an engine on it that runs on another thread.
struct Redis {
    calls: mpsc::Sender<(SlotRequest, mpsc::Sender<EngineResult<Slots>>)>,
    clock: ManualClock,
    server: Child,
    _folder: TempDir,
}

impl Redis {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("redis.sock");
        let mut command = Command::new("redis-server");
        command
            .args(["--port", "0", "--save", "", "--appendonly", "yes", "--unixsocket"])
            .arg(&socket)
            .arg("--dir")
            .arg(folder.path());
        let server = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut server = server.expect("redis-server must be installed: `./task test` does it");
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(server.try_wait().unwrap().is_none(), "redis-server ended");
            thread::yield_now();
        }
        let clock = ManualClock::at(BEGIN);
        let (calls, received) = mpsc::channel();
        let handed_in: Arc<dyn Clock> = Arc::new(clock.clone());
        let options = RedisOptions {
            durability: Durability::EverySecond,
            clock: Some(handed_in),
            ..RedisOptions::new(format!("redis+unix://{}", socket.display()))
        };
        thread::spawn(move || serve(options, &received));
        Self { calls, clock, server, _folder: folder }
    }
}

fn serve(options: RedisOptions, calls: &mpsc::Receiver<(SlotRequest, mpsc::Sender<EngineResult<Slots>>)>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let engine = runtime.block_on(RedisEngine::open(options)).unwrap();
    while let Ok((request, answer)) = calls.recv() {
        answer.send(runtime.block_on(engine.reserve_slots(request))).unwrap();
    }
}

impl Store for Redis {
    fn ask(&self, now: TimestampMs, request: SlotRequest) -> EngineResult<Slots> {
        self.clock.set(now);
        let (answer, answered) = mpsc::channel();
        self.calls.send((request, answer)).unwrap();
        answered.recv().unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

#[tokio::test(start_paused = true)]
async fn p8_the_limit_is_used_and_kept_by_1_4_and_16_queues_on_redis() {
    for (count, busy, per_second) in [(1, 1, 80), (4, 1, 80), (16, 1, 80), (16, 16, 80), (16, 1, 1_000)] {
        run(async {
            let world = World::new(Rc::new(Redis::start()), per_second, Way { up_to_ms: 4, lost: 0 });
            let backlog = |queue| if queue < busy { BACKLOG } else { 0 };
            let _queues: Vec<_> = (0..count).map(|queue| world.queue(backlog(queue))).collect();
            sleep(Duration::from_secs(14)).await;
            world.check(&format!("{busy} of {count} queues, {per_second}/s"), 4, 14, 0.95);
        })
        .await;
    }
}
