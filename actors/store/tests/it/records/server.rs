//! A PostgreSQL server of its own for tests: in a temporary folder, on a socket in that folder.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Where Debian keeps the programs of a server, by version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Runs the server until nobody holds the other end of its input any more, however the tests ended. `kill` ends the
/// server as a crash would, `start` starts it again; the answer comes when that is done.
const SUPERVISOR: &str = r#"
trap '' INT
bin=$1 folder=$(mktemp -d)
start() {
    # After a crash the last backend may hold the shared memory for a moment longer: then it is started again, as a
    # service manager would.
    for attempt in 1 2 3 4 5 6 7 8 9; do
        "$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off -c max_connections=300 \
            >>"$folder/log" 2>&1 &
        pid=$!
        until "$bin/pg_isready" -q -h "$folder" -U postgres; do
            sleep 0.05
            kill -0 $pid 2>/dev/null || continue 2
        done
        return
    done
    cat "$folder/log" >&2
    exit 1
}
"$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale-provider=icu --icu-locale=und --no-sync \
    >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
start
echo "$folder"
while read -r word; do
    case $word in
        kill) kill -STOP $pid; kill -9 $pid $(cat /proc/$pid/task/$pid/children) 2>/dev/null; wait $pid ;;
        start) start ;;
    esac
    echo "$word"
done
kill -QUIT $pid
wait $pid
rm -rf "$folder"
"#;

/// The server. It ends with this value, or with the process.
pub(crate) struct Server {
    folder: String,
    supervisor: Child,
    /// Its end is the end of the server.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Server {
    /// Starts a server and waits until it takes connections.
    pub(crate) fn start() -> Self {
        let mut supervisor = as_somebody()
            .args(["sh", "-c", SUPERVISOR, "sh"])
            .arg(programs())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = supervisor.stdin.take();
        let answers = BufReader::new(supervisor.stdout.take().unwrap());
        let mut server = Self { folder: String::new(), supervisor, commands, answers };
        server.folder = server.answer();
        server
    }

    /// The address of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder)
    }

    /// Ends the server as a crash would.
    pub(crate) fn kill(&mut self) {
        self.command("kill");
    }

    /// Starts it again.
    pub(crate) fn restart(&mut self) {
        self.command("start");
    }

    fn command(&mut self, word: &str) {
        writeln!(self.commands.as_mut().unwrap(), "{word}").unwrap();
        assert_eq!(self.answer(), word);
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "PostgreSQL did not start; what it said stands above");
        line.trim_end().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.commands.take();
        self.supervisor.wait().ok();
    }
}

/// The newest server that is installed.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin")).max();
    found.expect("PostgreSQL is not installed: `./task test` installs it")
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package made.
fn as_somebody() -> Command {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout.trim_ascii() != b"0" {
        return Command::new("env");
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    command
}
