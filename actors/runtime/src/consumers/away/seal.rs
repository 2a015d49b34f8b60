//! What a push service carries and cannot read: encryption for a browser (RFC 8291), and who sends it (VAPID, RFC 8292).

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use data_encoding::BASE64URL_NOPAD;
use protocol::time::TimestampMs;
use serde_json::json;

use crate::limits::{PUSH_RECORD_BYTES, VAPID_FOR};

/// Bytes of a point on P-256, uncompressed.
const POINT_BYTES: usize = 65;
/// Bytes of the salt of a message.
const SALT_BYTES: usize = 16;
/// Ends the last (and only) record.
const LAST_RECORD: u8 = 2;

/// A browser's keys, as it gave them.
pub(super) struct Recipient {
    point: Vec<u8>,
    auth: Vec<u8>,
}

/// Keys that no browser gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The public key.
    #[error("must be a point on P-256, uncompressed, in base64url, as `keys.p256dh` of a push subscription")]
    P256dh,
    /// What authenticates.
    #[error("must be 16 bytes in base64url, as `keys.auth` of a push subscription")]
    Auth,
}

/// The key that a gateway signs its pushes with; browsers tie their subscriptions to it.
pub struct VapidKey {
    pair: EcdsaKeyPair,
    public: String,
}

/// What is new in each message. Handed in, so that the example of the standard can be repeated.
struct Fresh {
    key: PrivateKey,
    salt: [u8; SALT_BYTES],
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl Recipient {
    /// Reads a browser's keys.
    pub(super) fn new(p256dh: &str, auth: &str) -> Result<Self, KeyError> {
        let point = decode(p256dh).filter(|point| point.len() == POINT_BYTES).ok_or(KeyError::P256dh)?;
        let auth = decode(auth).filter(|auth| auth.len() == SALT_BYTES).ok_or(KeyError::Auth)?;
        // Not every 65 bytes are a point.
        let tried = PrivateKey::generate(&ECDH_P256).and_then(|key| shared(&key, &point));
        tried.map_err(|_| KeyError::P256dh)?;
        Ok(Self { point, auth })
    }

    /// Seals a message that only the browser can open.
    pub(super) fn seal(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut salt = [0; SALT_BYTES];
        aws_lc_rs::rand::fill(&mut salt)?;
        self.seal_with(Fresh { key: PrivateKey::generate(&ECDH_P256)?, salt }, message)
    }

    fn seal_with(&self, fresh: Fresh, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let ours = fresh.key.compute_public_key()?;
        let secret = shared(&fresh.key, &self.point)?;
        let info: [&[u8]; 3] = [b"WebPush: info\0", &self.point, ours.as_ref()];
        let input = derive::<32>(&self.auth, &secret, &info)?;
        let key = derive::<16>(&fresh.salt, &input, &[b"Content-Encoding: aes128gcm\0"])?;
        let nonce = derive::<12>(&fresh.salt, &input, &[b"Content-Encoding: nonce\0"])?;
        let mut record = [message, &[LAST_RECORD]].concat();
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?);
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)?;
        let head =
            [fresh.salt.as_slice(), &PUSH_RECORD_BYTES.to_be_bytes(), &[POINT_BYTES as u8], ours.as_ref()];
        Ok([head.concat(), record].concat())
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok()
}

fn shared(ours: &PrivateKey, theirs: &[u8]) -> Result<Vec<u8>, Unspecified> {
    agree(ours, UnparsedPublicKey::new(&ECDH_P256, theirs), Unspecified, |secret| Ok(secret.to_vec()))
}

fn derive<const BYTES: usize>(
    salt: &[u8],
    secret: &[u8],
    info: &[&[u8]],
) -> Result<[u8; BYTES], Unspecified> {
    let mut out = [0; BYTES];
    Salt::new(HKDF_SHA256, salt).extract(secret).expand(info, Length(BYTES))?.fill(&mut out)?;
    Ok(out)
}

impl VapidKey {
    /// Reads a private key: 32 bytes in base64url. `None` if it is none.
    #[must_use]
    pub fn read(private: &str) -> Option<Self> {
        let private = decode(private.trim())?;
        let public = PrivateKey::from_private_key(&ECDH_P256, &private).ok()?.compute_public_key().ok()?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &private,
            public.as_ref(),
        );
        Some(Self { pair: pair.ok()?, public: BASE64URL_NOPAD.encode(public.as_ref()) })
    }

    /// A new private key, as [`Self::read`] takes it; `None` when the system has no randomness.
    #[must_use]
    pub fn draw() -> Option<String> {
        let key = PrivateKey::generate(&ECDH_P256).ok()?;
        let bytes: EcPrivateKeyBin<'_> = key.as_be_bytes().ok()?;
        Some(BASE64URL_NOPAD.encode(bytes.as_ref()))
    }

    /// What browsers are given as `applicationServerKey`.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The `Authorization` of a push to a service, named by its origin. `subject` is whom the service may ask.
    pub(super) fn authorization(
        &self,
        origin: &str,
        subject: &str,
        now: TimestampMs,
    ) -> Result<String, Unspecified> {
        let until = (now + VAPID_FOR).0 / 1_000;
        let head = BASE64URL_NOPAD.encode(br#"{"typ":"JWT","alg":"ES256"}"#);
        let claims = json!({ "aud": origin, "exp": until, "sub": subject }).to_string();
        let signed = format!("{head}.{}", BASE64URL_NOPAD.encode(claims.as_bytes()));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes())?;
        let signature = BASE64URL_NOPAD.encode(signature.as_ref());
        Ok(format!("vapid t={signed}.{signature}, k={}", self.public))
    }
}

/// A browser, for tests: what it gives, and how it opens what it gets.
#[cfg(test)]
pub(in crate::consumers) mod browser {
    use store::records::Device;

    use super::*;

    pub(in crate::consumers) struct Browser {
        key: PrivateKey,
        auth: [u8; SALT_BYTES],
    }

    impl Browser {
        pub(in crate::consumers) fn new() -> Self {
            Self { key: PrivateKey::generate(&ECDH_P256).unwrap(), auth: [7; SALT_BYTES] }
        }

        fn point(&self) -> Vec<u8> {
            self.key.compute_public_key().unwrap().as_ref().to_vec()
        }

        pub(in crate::consumers) fn subscribe(&self, endpoint: String) -> Device {
            let p256dh = BASE64URL_NOPAD.encode(&self.point());
            Device { endpoint, p256dh, auth: BASE64URL_NOPAD.encode(&self.auth) }
        }

        pub(in crate::consumers) fn open(&self, sealed: &[u8]) -> serde_json::Value {
            let (salt, rest) = sealed.split_at(SALT_BYTES);
            assert_eq!(rest[..5], [0, 0, 16, 0, 65]);
            let (theirs, record) = rest[5..].split_at(POINT_BYTES);
            let secret = shared(&self.key, theirs).unwrap();
            let info: [&[u8]; 3] = [b"WebPush: info\0", &self.point(), theirs];
            let input = derive::<32>(&self.auth, &secret, &info).unwrap();
            let key = derive::<16>(salt, &input, &[b"Content-Encoding: aes128gcm\0"]).unwrap();
            let nonce = derive::<12>(salt, &input, &[b"Content-Encoding: nonce\0"]).unwrap();
            let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
            let (mut record, nonce) = (record.to_vec(), Nonce::assume_unique_for_key(nonce));
            let message = key.open_in_place(nonce, Aad::empty(), &mut record).unwrap();
            assert_eq!(message.last(), Some(&LAST_RECORD));
            serde_json::from_slice(&message[..message.len() - 1]).unwrap()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d12_the_example_of_rfc_8291_is_reproduced() {
        let browser = Recipient::new(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
        )
        .unwrap();
        let key = decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw").unwrap();
        let salt = decode("DGv6ra1nlYgDCS1FRnbzlw").unwrap().try_into().unwrap();
        let fresh = Fresh { key: PrivateKey::from_private_key(&ECDH_P256, &key).unwrap(), salt };
        let sealed = browser.seal_with(fresh, b"When I grow up, I want to be a watermelon").unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(BASE64URL_NOPAD.encode(&sealed), expected);
    }

    #[test]
    fn d12_keys_that_no_browser_gives_are_refused() {
        let point = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
        let refused = |point: &str, auth: &str| Recipient::new(point, auth).err();
        assert_eq!(refused(point, "BTBZMqHH6r4Tts7J_aSIgg=="), None);
        for wrong in ["", "AAAA", &point.replace('B', "C"), &point[..86], "not base64!"] {
            assert_eq!(refused(wrong, "BTBZMqHH6r4Tts7J_aSIgg"), Some(KeyError::P256dh), "{wrong}");
        }
        assert_eq!(refused(point, "AAAA"), Some(KeyError::Auth));
        assert!(VapidKey::read("AAAA").is_none() && VapidKey::read(&VapidKey::draw().unwrap()).is_some());
    }
}
