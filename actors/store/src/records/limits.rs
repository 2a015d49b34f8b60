//! Every bound of the records store, with its reason.

use std::time::Duration;

/// Rows of a page: more would hold a reader for long and an answer in memory.
pub const MAX_PAGE: usize = 200;

/// Reservations that are released at once: the account of a tenant is held for some ten milliseconds, and its sends wait.
pub const MAX_RELEASES: usize = 200;

/// Events of one read by a consumer: a batch that fits in one transaction of about a tenth of a second.
pub const MAX_EVENT_PAGE: usize = 4_000;

/// Events of a conversation that are replayed at once: years of a busy one, and some 20 MB of memory.
pub const MAX_REPLAY_EVENTS: usize = 20_000;

/// Characters of a message shown in the inbox row: two lines on a wide screen.
pub const PREVIEW_CHARS: usize = 160;

/// Words of a contact (or of a query) that are looked at: names have fewer, a pasted letter has not.
pub const MAX_SEARCH_WORDS: usize = 12;

/// Characters of a word that are indexed.
pub const MAX_SEARCH_WORD_CHARS: usize = 32;

/// Conditions in one filter: each becomes a piece of SQL.
pub const MAX_FILTER_CONDITIONS: usize = 50;

/// Conversations that are looked up and sorted for one page of the inbox: more are found sooner by going from the newest one
/// back. Each is two pages of its own to read, which takes some twenty microseconds.
pub const FEW: u64 = 1_500;

/// Contacts that a searched word or a stage may have in order to be read into a list once, instead of asking each
/// conversation that is met for it. They stand side by side in an index.
pub const LISTED: u64 = 10_000;

/// Conversations that one page is looked for in, from the newest one back: some ten to thirty milliseconds. A page that
/// ends there may be short, and says where to go on.
pub const WALK: usize = 20_000;

/// The same where a list is read beforehand, which takes about as long.
pub const WALK_AND_LIST: usize = 10_000;

/// The same where each of them is asked for what stands elsewhere, such as its words: a page of its own to read.
pub const WALK_AND_ASK: usize = 2_000;

/// Values in one condition, such as ids: SQL parameters are bounded.
pub const MAX_FILTER_VALUES: usize = 200;

/// Conversations listed with the unread counts of a user: more than a person looks through.
pub const MAX_UNREAD_CONVERSATIONS: usize = 100;

/// Notifications kept per user; older ones are forgotten, read or not: the inbox itself shows what is unread.
pub const MAX_NOTIFICATIONS_PER_USER: usize = 1_000;

/// Browsers of a user that take push messages; with one more the oldest goes: more than a person carries around.
pub const MAX_DEVICES_PER_USER: usize = 10;

/// Pending deliveries of one endpoint: a day of a busy tenant whose endpoint is down. The feed has them all.
pub const MAX_PENDING_DELIVERIES: u64 = 100_000;

/// Files of one number that are fetched at once: a number with many of them, or whose provider is slow, leaves room for
/// others.
pub const FETCHES_PER_NUMBER: u32 = 2;

/// Dead deliveries are kept for 30 days, so that somebody can look into them.
pub const DEAD_DELIVERY_DAYS: i64 = 30;

/// Idempotency keys are kept for 24 hours (interface: `Idempotency-Key`).
pub const KEY_HOURS: i64 = 24;

/// Calls that wait for the one writer. Each caller waits for its answer, so this bounds callers, not data.
pub const WRITER_QUEUE: usize = 256;

/// Niceness that the writer's thread adds: about a tenth of the weight of a thread that serves webhooks. Measured
/// with both processors busy, the projection takes a third of the process's time otherwise.
pub const WRITER_NICENESS: i32 = 10;

/// Connections that read side by side: SQLite reads are CPU bound, more than the cores gain nothing.
pub const READERS: usize = 4;

/// Connections of one node to PostgreSQL: five consumers, and people who look. Six nodes stay below the hundred that
/// a server allows by default.
pub const POOL: usize = 16;

/// Threads that serve these connections: while one stores a batch, the other answers people.
pub const POOL_THREADS: usize = 2;

/// How long a connection to PostgreSQL may take, unless its address says otherwise: longer than a fail-over of a
/// proxy, shorter than a caller waits.
pub const CONNECT_WAIT: Duration = Duration::from_secs(5);

/// How long PostgreSQL may leave what was sent unacknowledged before its connection counts as broken.
pub const SILENCE_WAIT: Duration = Duration::from_secs(30);

/// Locks that contacts share. A PostgreSQL server has room for some thousand locks in all; with so many, a batch
/// rarely waits for a batch of another node that changes other contacts.
pub const CONTACT_LOCKS: u128 = 64;

/// Prepared statements kept per connection: every fixed statement and the latest filters.
pub const STATEMENT_CACHE: usize = 128;

const _: () = assert!(MAX_FILTER_CONDITIONS * MAX_FILTER_VALUES < 32_766, "SQLite's bound on parameters");
const _: () = assert!(MAX_PAGE <= MAX_EVENT_PAGE);
