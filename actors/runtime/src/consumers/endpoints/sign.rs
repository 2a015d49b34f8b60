//! Signatures of Standard Webhooks: `v1,` and the base64 HMAC-SHA256 over `id.timestamp.body`.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The value of `webhook-signature`: one signature for each usable secret, newest first.
pub(crate) fn signatures(secrets: &[String], id: &str, timestamp_seconds: i64, body: &[u8]) -> String {
    let signed = secrets.iter().filter_map(|secret| sign(secret, id, timestamp_seconds, body));
    signed.collect::<Vec<_>>().join(" ")
}

fn sign(secret: &str, id: &str, timestamp_seconds: i64, body: &[u8]) -> Option<String> {
    let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap_or(secret).as_bytes()).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp_seconds}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_is_reproduced() {
        // From the Standard Webhooks specification and its libraries.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signature = signatures(&[secret], id, 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_secret_signs_and_unusable_ones_are_left_out() {
        let secrets = [
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "not base64!",
        ]
        .map(str::to_owned);
        let both = signatures(&secrets, "evt_1", 1, b"{}");
        assert_eq!(both.split(' ').count(), 2);
        assert!(both.split(' ').all(|signature| signature.starts_with("v1,")));
    }
}
