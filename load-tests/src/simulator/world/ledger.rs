//! Every accepted POST, and how many were refused: what tests compare a gateway's own story with.

use std::collections::{BTreeMap, VecDeque};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::limits::LEDGER_ENTRIES;

/// One POST that the provider accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Position from 1, without gaps.
    pub position: u64,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The sending number's id.
    pub phone_number_id: String,
    /// The recipient's digits as the provider knows them.
    pub to: String,
    /// `text`, `template` …
    pub message_type: String,
    /// `biz_opaque_callback_data`, when there was one.
    pub opaque_id: Option<String>,
    /// The provider's id for it.
    pub wamid: String,
    /// Lowercase hex of the SHA-256 of the raw body.
    pub body_sha256: String,
    /// The body.
    pub body: Value,
}

/// What the counters say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// POSTs accepted since the start or the last reset.
    pub accepted: u64,
    /// POSTs refused, by error code.
    pub refused: BTreeMap<i64, u64>,
    /// Read receipts and typing indicators.
    pub receipts: u64,
    /// Webhooks answered with 200.
    pub webhooks_delivered: u64,
    /// Deliveries that were not answered with 200.
    pub webhooks_failed: u64,
    /// Webhooks given up after their last attempt.
    pub webhooks_dropped: u64,
    /// Updates that wait for their time or their webhook.
    pub updates_waiting: usize,
}

/// The newest accepted POSTs, bounded, and the counters.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: VecDeque<LedgerEntry>,
    pub(crate) stats: Stats,
}

impl Ledger {
    /// Records an accepted POST; `entry.position` is set here.
    pub(crate) fn accept(&mut self, mut entry: LedgerEntry) {
        self.stats.accepted += 1;
        entry.position = self.stats.accepted;
        if self.entries.len() == LEDGER_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(crate) fn refuse(&mut self, code: i64) {
        *self.stats.refused.entry(code).or_default() += 1;
    }

    /// The entries after a position, oldest first.
    pub(crate) fn after(&self, position: u64, limit: usize) -> Vec<LedgerEntry> {
        self.entries.iter().filter(|entry| entry.position > position).take(limit).cloned().collect()
    }
}

/// Lowercase hex of the SHA-256 of a body.
pub(crate) fn body_hash(body: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(body))
}
