//! Who signed a webhook: HMAC-SHA256 over the raw bytes, compared in constant time, with every app secret in use.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use data_encoding::HEXLOWER_PERMISSIVE;
use domain::directory::Directory;
use hmac::{Hmac, KeyInit, Mac};
use protocol::content::Channel;
use protocol::id::TenantId;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// What `X-Hub-Signature-256` begins with.
const SCHEME: &str = "sha256=";
/// Bytes of a SHA-256.
const DIGEST_BYTES: usize = 32;

/// The app secrets of one directory, each keyed once: a request then costs the hash of its body alone.
pub struct Signers {
    /// What they were taken from; another directory makes other signers.
    directory: Arc<Directory>,
    signers: Vec<Signer>,
    /// The one that signed last: one app usually signs nearly everything.
    latest: AtomicUsize,
}

struct Signer {
    keyed: Hmac<Sha256>,
    tenants: Arc<[TenantId]>,
}

impl Signers {
    fn of(directory: Arc<Directory>) -> Self {
        let mut tenants: BTreeMap<&str, Vec<TenantId>> = BTreeMap::new();
        for (id, tenant) in &directory.tenants {
            let numbers = tenant.numbers.values().filter(|number| number.channel == Channel::Whatsapp);
            for secret in numbers.flat_map(|number| &number.secrets.app_secrets) {
                let owners = tenants.entry(secret).or_default();
                if owners.last() != Some(id) {
                    owners.push(*id);
                }
            }
        }
        let signer = |(secret, tenants): (&str, Vec<TenantId>)| {
            // HMAC takes keys of every length; an error here cannot happen and would only leave the secret out.
            let keyed = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).ok()?;
            Some(Signer { keyed, tenants: tenants.into() })
        };
        let signers = tenants.into_iter().filter_map(signer).collect();
        Self { directory: directory.clone(), signers, latest: AtomicUsize::new(0) }
    }

    /// The tenants whose secret signed the body; `None` when nobody's did. Tells nothing else.
    fn verify(&self, header: &[u8], body: &[u8]) -> Option<Arc<[TenantId]>> {
        let given = digest(header)?;
        let latest = self.latest.load(Ordering::Relaxed);
        let others = (0..self.signers.len()).filter(|index| *index != latest);
        let index = std::iter::once(latest).chain(others).find(|index| {
            self.signers.get(*index).is_some_and(|signer| {
                let mut mac = signer.keyed.clone();
                mac.update(body);
                mac.finalize().into_bytes().ct_eq(&given).into()
            })
        })?;
        if index != latest {
            self.latest.store(index, Ordering::Relaxed);
        }
        Some(self.signers[index].tenants.clone())
    }
}

fn digest(header: &[u8]) -> Option<[u8; DIGEST_BYTES]> {
    let hex = header.strip_prefix(SCHEME.as_bytes())?;
    let mut digest = [0; DIGEST_BYTES];
    if hex.len() != 2 * DIGEST_BYTES {
        return None;
    }
    HEXLOWER_PERMISSIVE.decode_mut(hex, &mut digest).ok()?;
    Some(digest)
}

/// Verifies against the directory of the moment.
pub struct Verifier {
    directory: Arc<ArcSwap<Directory>>,
    signers: ArcSwap<Signers>,
}

impl Verifier {
    /// Follows a directory.
    #[must_use]
    pub fn new(directory: Arc<ArcSwap<Directory>>) -> Self {
        let signers = ArcSwap::from_pointee(Signers::of(directory.load_full()));
        Self { directory, signers }
    }

    /// The tenants whose app secret signed the body, by the `X-Hub-Signature-256` header.
    #[must_use]
    pub fn signed_by(&self, header: &[u8], body: &[u8]) -> Option<Arc<[TenantId]>> {
        let directory = self.directory.load();
        let signers = self.signers.load();
        if Arc::ptr_eq(&signers.directory, &directory) {
            return signers.verify(header, body);
        }
        let fresh = Arc::new(Signers::of(Arc::clone(&directory)));
        self.signers.store(fresh.clone());
        fresh.verify(header, body)
    }

    /// Whether the token of a handshake is that of any number. Looks at all of them, each in constant time.
    #[must_use]
    pub fn knows_token(&self, token: &str) -> bool {
        let directory = self.directory.load();
        let numbers = directory.tenants.values().flat_map(|tenant| tenant.numbers.values());
        let tokens = numbers.filter_map(|number| number.secrets.verify_token.as_ref());
        let known = tokens.fold(subtle::Choice::from(0), |known, expected| {
            known | expected.as_bytes().ct_eq(token.as_bytes())
        });
        known.into()
    }
}

#[cfg(test)]
mod tests;
