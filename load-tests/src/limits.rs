//! Every bound of this crate, with its reason.

/// A webhook carries at most this many updates (the provider's own limit).
pub(crate) const UPDATES_PER_WEBHOOK: usize = 1_000;

/// Accepted POSTs that the ledger keeps: a crash run makes a few thousand; at about 1 KB each this is 200 MB at most.
pub(crate) const LEDGER_ENTRIES: usize = 200_000;

/// Webhook updates that wait for their time. Beyond it sends are refused with 131016, as an overloaded provider does.
pub(crate) const SCHEDULED_UPDATES: usize = 500_000;

/// Contacts, pairs and their windows that the simulator remembers; beyond it new contacts get 131016.
pub(crate) const PAIRS: usize = 1_000_000;

/// Uploaded and inbound files in memory: enough for a demonstration, each up to the provider's own size limit.
pub(crate) const MEDIA_FILES: usize = 500;

/// Largest file that can be uploaded; the provider's limit for documents is 100 MB, tests need far less memory.
pub(crate) const MEDIA_BYTES: usize = 16 * 1024 * 1024;

/// Largest JSON request body; the provider documents none, its largest message is far below.
pub(crate) const REQUEST_BYTES: usize = 1024 * 1024;

/// Templates per account: the provider's number for a verified portfolio.
pub(crate) const TEMPLATES_PER_ACCOUNT: usize = 6_000;

/// Prebuilt requests of one run: 2 GiB are some two million webhooks, more than any run on one machine sends.
pub(crate) const CORPUS_BYTES: usize = 2 << 30;

const _: () = assert!(UPDATES_PER_WEBHOOK < SCHEDULED_UPDATES);
const _: () = assert!(REQUEST_BYTES < MEDIA_BYTES);
