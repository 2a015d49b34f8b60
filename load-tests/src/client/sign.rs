//! The signature of a webhook.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "X-Hub-Signature-256";

/// `sha256=` and the lowercase hex of HMAC-SHA256 over the raw body.
#[must_use]
pub fn signature(app_secret: &str, body: &[u8]) -> String {
    let mut hmac = keyed(app_secret.as_bytes());
    hmac.update(body);
    format!("sha256={}", HEXLOWER.encode(&hmac.finalize().into_bytes()))
}

/// A key longer than the block is hashed, a shorter one padded with zeros (RFC 2104): done here, so that construction
/// cannot fail.
fn keyed(secret: &[u8]) -> Hmac<Sha256> {
    let mut block = [0u8; 64];
    if secret.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        block[..secret.len()].copy_from_slice(secret);
    }
    <Hmac<Sha256> as KeyInit>::new(&block.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_published_vectors() {
        // RFC 4231, test cases 2 and 6 (the key of the latter is longer than a block).
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let mut hmac = keyed(&[0xaa; 131]);
        hmac.update(b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(
            HEXLOWER.encode(&hmac.finalize().into_bytes()),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }
}
