//! The signature of a webhook.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "X-Hub-Signature-256";

/// `sha256=` and the lowercase hex of HMAC-SHA256 over the raw body.
#[must_use]
pub fn signature(app_secret: &str, body: &[u8]) -> String {
    Signer::new(app_secret.as_bytes()).sign(body)
}

/// Signs many bodies with one secret: the key is worked in once.
#[derive(Clone)]
pub struct Signer(Hmac<Sha256>);

impl Signer {
    /// A key longer than the block is hashed, a shorter one padded with zeros (RFC 2104): done here, so that
    /// construction cannot fail.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        let mut block = [0u8; 64];
        if secret.len() > block.len() {
            block[..32].copy_from_slice(&Sha256::digest(secret));
        } else {
            block[..secret.len()].copy_from_slice(secret);
        }
        Self(<Hmac<Sha256> as KeyInit>::new(&block.into()))
    }

    /// The value of the header.
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> String {
        let mut hmac = self.0.clone();
        hmac.update(body);
        format!("sha256={}", HEXLOWER.encode(&hmac.finalize().into_bytes()))
    }

    /// Whether a header is the signature of a body, in constant time.
    #[must_use]
    pub fn verifies(&self, body: &[u8], header: &[u8]) -> bool {
        let Some(given) = header.strip_prefix(b"sha256=") else { return false };
        let mut tag = [0u8; 32];
        if given.len() != 64 || HEXLOWER.decode_mut(given, &mut tag).is_err() {
            return false;
        }
        let mut hmac = self.0.clone();
        hmac.update(body);
        hmac.verify_slice(&tag).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_published_vectors() {
        // RFC 4231, test cases 2 and 6 (the key of the latter is longer than a block).
        let body = b"what do ya want for nothing?";
        let header = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature("Jefe", body), header);
        assert!(Signer::new(b"Jefe").verifies(body, header.as_bytes()));
        assert!(!Signer::new(b"Jeff").verifies(body, header.as_bytes()));
        assert_eq!(
            Signer::new(&[0xaa; 131]).sign(b"Test Using Larger Than Block-Size Key - Hash Key First"),
            "sha256=60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }
}
