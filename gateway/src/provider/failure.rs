//! What a request without an answer means for a message that is never sent twice.

use protocol::outbound::Outcome;

/// DNS, connect and TLS failures are provably not sent, and so is a request that could not even be built;
/// everything later is in doubt.
pub(super) fn outcome(error: &reqwest::Error) -> Outcome {
    let detail = detail(error);
    if error.is_connect() || error.is_builder() {
        Outcome::NotSent { detail }
    } else {
        Outcome::InDoubt { detail }
    }
}

/// The causes without the address, which holds the provider's id of the number.
pub(super) fn detail(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    match (causes.is_empty(), error.is_timeout()) {
        (false, _) => causes.join(": "),
        (true, true) => "no answer in time".to_owned(),
        (true, false) => "the request failed".to_owned(),
    }
}
