//! The code on the server: a function library with a versioned name, or scripts where functions are forbidden.

use redis::aio::ConnectionLike;
use redis::{Cmd, RedisError, Value};
use xxhash_rust::xxh3::xxh3_64;

const SOURCE: &str = include_str!("library.lua");

/// The functions, and whether the server runs them when its memory is full: all that give memory back, or that
/// somebody needs who does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Append,
    Commit,
    Verify,
    Heartbeat,
    Reserve,
    Acquire,
    Renew,
    Release,
    Heads,
    Newest,
    Replay,
}

const ALL: [(Function, &str, &str); 11] = [
    (Function::Append, "append", ""),
    (Function::Commit, "commit", "'allow-oom'"),
    (Function::Verify, "verify", "'no-writes'"),
    (Function::Heartbeat, "heartbeat", "'allow-oom'"),
    (Function::Reserve, "reserve", "'allow-oom'"),
    (Function::Acquire, "acquire", "'allow-oom'"),
    (Function::Renew, "renew", "'allow-oom'"),
    (Function::Release, "release", "'allow-oom'"),
    (Function::Heads, "heads", "'no-writes'"),
    (Function::Newest, "newest", "'no-writes'"),
    (Function::Replay, "replay", "'allow-oom'"),
];

/// How the functions are called. The name carries a hash of the code, so that nodes of two versions can work side
/// by side during an upgrade.
#[derive(Clone, Debug)]
pub(super) struct Library {
    version: String,
    /// Digests of the scripts, in the order of [`ALL`]; `None` with functions.
    scripts: Option<Vec<String>>,
}

impl Library {
    /// Loads what is missing, as functions if the server lets us.
    pub(super) async fn load(server: &mut (impl ConnectionLike + Send)) -> Result<Self, RedisError> {
        let version = format!("{:08x}", xxh3_64(SOURCE.as_bytes()) as u32);
        match functions(&version).query_async::<Value>(server).await {
            Ok(_) => return Ok(Self { version, scripts: None }),
            Err(error) if error.to_string().contains("already exists") => {
                return Ok(Self { version, scripts: None });
            }
            Err(error) => tracing::info!(%error, "functions are forbidden on this server, scripts are used"),
        }
        let mut scripts = Vec::new();
        for (_, name, flags) in ALL {
            let flags = flags.replace('\'', "");
            let source = format!("#!lua flags={flags}\n{SOURCE}\nreturn {name}(KEYS, ARGV)\n");
            scripts.push(redis::cmd("SCRIPT").arg("LOAD").arg(source).query_async(server).await?);
        }
        Ok(Self { version, scripts: Some(scripts) })
    }

    /// A call without its arguments.
    pub(super) fn call(&self, function: Function, keys: &[Vec<u8>]) -> Cmd {
        let bytes = keys.iter().map(Vec::len).sum::<usize>();
        let mut call =
            self.begin(function, keys.len(), Cmd::with_capacity(keys.len() * 3 + 16, bytes * 3 + 64));
        call.arg(keys);
        call
    }

    /// A call without its keys, which follow, and its arguments.
    pub(super) fn begin(&self, function: Function, keys: usize, mut call: Cmd) -> Cmd {
        let place = function as usize;
        match &self.scripts {
            Some(scripts) => call.arg("EVALSHA").arg(&scripts[place]),
            None => call.arg("FCALL").arg(format!("gw_{}_{}", ALL[place].1, self.version)),
        };
        call.arg(keys);
        call
    }
}

fn functions(version: &str) -> Cmd {
    let mut source = format!("#!lua name=gateway_v1_{version}\n{SOURCE}\n");
    for (_, name, flags) in ALL {
        source += &format!(
            "redis.register_function{{function_name='gw_{name}_{version}', callback={name}, flags={{{flags}}}}}\n"
        );
    }
    let mut load = redis::cmd("FUNCTION");
    load.arg("LOAD").arg(source);
    load
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_functions() {
        for (place, (function, _, _)) in ALL.iter().enumerate() {
            assert_eq!(*function as usize, place);
        }
    }
}
