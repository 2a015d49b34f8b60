//! Signed webhooks, each unique, laid out one after the other with equal length.

use std::fmt::Write as _;
use std::ops::Range;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::client::Signer;
use crate::client::inbound::{Receiver, Sender};
use crate::limits::CORPUS_BYTES;

/// What requests are made of.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The number that receives.
    pub receiver: Receiver,
    /// Signs.
    pub app_secret: String,
    /// Where requests go.
    pub path: String,
    /// How many contacts write.
    pub conversations: u32,
    /// A few contacts write most (Zipf with exponent 1) instead of all the same.
    pub zipf: bool,
    /// What they write.
    pub text: String,
    /// Distinguishes the provider ids of different runs.
    pub run: u32,
    /// The first message's time; it goes on by a second with every 10,000 messages.
    pub unix_seconds: i64,
}

/// Requests, ready to be written to a socket.
pub struct Corpus {
    bytes: Vec<u8>,
    stride: usize,
}

/// Placeholders of a fixed width inside one request; they are overwritten for each.
const PHONE: &str = "390000000000";
const WAMID: &str = "wamid.00000000.0000000000000000";

/// Messages that bear the same second. The provider's clock goes on under load too: a gateway may take messages that
/// all bear one second for repetitions of old ones, and look them up.
const PER_SECOND: usize = 10_000;

impl Corpus {
    /// Builds `count` requests; fewer when they would not fit into the memory set aside for them.
    #[must_use]
    pub fn build(recipe: &Recipe, count: usize) -> Self {
        let sender =
            Sender { wa_id: PHONE.into(), user_id: format!("IT.{PHONE}"), name: "Anna Rossi".into() };
        let body =
            recipe.receiver.text(&sender, WAMID, recipe.unix_seconds, &recipe.text).to_string().into_bytes();
        let signer = Signer::new(recipe.app_secret.as_bytes());
        let head = head(&recipe.path, &signer.sign(&body), body.len());
        let signature = signature_range(&head);
        let phones = positions(&body, PHONE);
        let wamids = positions(&body, WAMID);
        let times = positions(&body, &recipe.unix_seconds.to_string());
        let stride = head.len() + body.len();
        let count = count.min(CORPUS_BYTES / stride);
        let mut bytes = Vec::with_capacity(count * stride);
        let mut contacts = Contacts::new(recipe);
        let (mut head, mut body) = (head, body);
        let mut text = String::new();
        for index in 0..count {
            text.clear();
            // Writing into a String cannot fail.
            let _ = write!(text, "39{:010}", contacts.next(index));
            overwrite(&mut body, &phones, &text);
            text.clear();
            let _ = write!(text, "wamid.{:08x}.{index:016x}", recipe.run);
            overwrite(&mut body, &wamids, &text);
            text.clear();
            let _ = write!(text, "{}", recipe.unix_seconds + (index / PER_SECOND) as i64);
            overwrite(&mut body, &times, &text);
            head[signature.clone()].copy_from_slice(signer.sign(&body).as_bytes());
            bytes.extend_from_slice(&head);
            bytes.extend_from_slice(&body);
        }
        Self { bytes, stride }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() / self.stride
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes of each body and head together.
    #[must_use]
    pub fn request_bytes(&self) -> usize {
        self.stride
    }

    /// One request; the last is followed by the first again.
    #[must_use]
    pub fn request(&self, index: usize) -> &[u8] {
        let start = (index % self.len()) * self.stride;
        &self.bytes[start..start + self.stride]
    }
}

fn head(path: &str, signature: &str, body_bytes: usize) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n\
         Content-Length: {body_bytes}\r\nX-Hub-Signature-256: {signature}\r\n\r\n"
    )
    .into_bytes()
}

/// The signature is the last header: its value ends before the empty line.
fn signature_range(head: &[u8]) -> Range<usize> {
    let end = head.len() - 4;
    end - "sha256=".len() - 64..end
}

fn positions(body: &[u8], placeholder: &str) -> Vec<usize> {
    let found = body.windows(placeholder.len()).enumerate();
    found.filter(|(_, window)| *window == placeholder.as_bytes()).map(|(at, _)| at).collect()
}

fn overwrite(body: &mut [u8], positions: &[usize], text: &str) {
    for at in positions {
        body[*at..*at + text.len()].copy_from_slice(text.as_bytes());
    }
}

/// Who writes next.
struct Contacts {
    count: u32,
    /// Running sums of the weights 1, 1/2, 1/3 …; empty when all are equal.
    sums: Vec<f64>,
    rng: StdRng,
}

impl Contacts {
    fn new(recipe: &Recipe) -> Self {
        let count = recipe.conversations.max(1);
        let mut sum = 0.0;
        let weights = (1..=count).filter(|_| recipe.zipf).map(|rank| {
            sum += 1.0 / f64::from(rank);
            sum
        });
        Self { count, sums: weights.collect(), rng: StdRng::seed_from_u64(u64::from(recipe.run)) }
    }

    fn next(&mut self, index: usize) -> usize {
        match self.sums.last() {
            None => index % self.count as usize,
            Some(total) => {
                let point = self.rng.random::<f64>() * total;
                self.sums.partition_point(|sum| *sum < point)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(zipf: bool) -> Recipe {
        Recipe {
            receiver: Receiver {
                waba_id: "1".into(),
                phone_number_id: "2".into(),
                display_phone_number: "15550783881".into(),
            },
            app_secret: "secret".into(),
            path: "/webhooks/whatsapp".into(),
            conversations: 10,
            zipf,
            text: "ciao".into(),
            run: 7,
            unix_seconds: 1_795_176_000,
        }
    }

    #[test]
    fn every_request_is_whole_signed_and_unique() {
        let corpus = Corpus::build(&recipe(false), 25);
        assert_eq!(corpus.len(), 25);
        let signer = Signer::new(b"secret");
        let mut ids = std::collections::BTreeSet::new();
        for index in 0..25 {
            let mut headers = [httparse::EMPTY_HEADER; 8];
            let mut parsed = httparse::Request::new(&mut headers);
            let httparse::Status::Complete(head) = parsed.parse(corpus.request(index)).unwrap() else {
                panic!("the head is not complete")
            };
            let body = &corpus.request(index)[head..];
            let header = |name: &str| parsed.headers.iter().find(|h| h.name == name).unwrap().value;
            assert!(signer.verifies(body, header("X-Hub-Signature-256")));
            assert_eq!(header("Content-Length"), body.len().to_string().as_bytes());
            let body: serde_json::Value = serde_json::from_slice(body).unwrap();
            let message = &body["entry"][0]["changes"][0]["value"]["messages"][0];
            assert_eq!(message["from"], format!("39{:010}", index % 10));
            ids.insert(message["id"].as_str().unwrap().to_owned());
        }
        assert_eq!(ids.len(), 25);
    }

    #[test]
    fn with_zipf_the_first_contact_writes_most() {
        let mut contacts = Contacts::new(&recipe(true));
        let mut counts = [0; 10];
        for index in 0..10_000 {
            counts[contacts.next(index)] += 1;
        }
        assert!(counts[0] > counts[1] && counts[1] > counts[9] && counts[9] > 0, "{counts:?}");
    }
}
