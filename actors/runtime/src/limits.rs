//! Every bound of the runtime with its reason. Those that operators may tune are defaults of
//! [`crate::NodeSettings`].

use std::time::Duration;

use protocol::time::SpanMs;

/// Inputs in one batch. A commit blocks a shared store for about 8 µs per event: 128 keep it near 1 ms.
pub const BATCH_EVENTS: usize = 128;

/// Inputs of all shards in one round of an arbiter, about: at 10 µs each the thread is its own again after some ms.
pub const ROUND_EVENTS: usize = 512;

/// Rounds of an arbiter under way at once: while one is being made durable, the next is applied.
pub const ROUNDS: usize = 2;

/// Bytes of log entries in one batch: the other half of the same bound, for entries with large bodies.
pub const BATCH_BYTES: usize = 256 * 1024;

/// How long a node owns a shard, and counts as there, without saying so again. Take-over after a crash is promised
/// within 6 s: this, a heartbeat until the others notice, and [`ACQUIRE_AGAIN`] fit into it.
pub const LEASE_TTL: Duration = Duration::from_secs(4);

/// A node says so many times per time-to-live that it is there, and renews its leases: two calls to the store every
/// half second. Others notice within as much time that a node came or left.
pub const HEARTBEATS_PER_TTL: u32 = 8;

/// Pauses after attempts to tell the store that a node leaves. A connection that broke with a restart of the store
/// shows it only when it is used, so the first attempt may fail; others that are not told wait for the end of
/// [`LEASE_TTL`] instead of taking the shards within a second.
pub const LEAVE_PAUSES: [Duration; 3] =
    [Duration::from_millis(10), Duration::from_millis(100), Duration::from_millis(200)];

/// Shards that a node gives to others in one heartbeat, when a node joins. Each stands still for some ten
/// milliseconds while it moves: few at a time keep the delay of everybody small.
pub const MOVES_PER_HEARTBEAT: usize = 16;

/// How often a node tries to take a shard that another one still holds: what a hand-over may cost.
pub const ACQUIRE_AGAIN: Duration = Duration::from_millis(100);

/// How often results are looked for whose command another node applies: half of what a caller there would wait.
pub const RESULT_POLL: Duration = Duration::from_millis(10);

/// A conversation that was silent for so long gives its memory back. A person answers a bot within minutes.
pub const IDLE: Duration = Duration::from_secs(300);

/// Live conversations in a node: at about 1.5 KB each, 150 MB.
pub const LIVE_CONVERSATIONS: usize = 100_000;

/// Claims and outcomes that wait for a shard: four batches. Whoever finds it full waits in its own task, of
/// which there are at most [`POSTS_PER_NUMBER`] per number.
pub const LOCAL_INPUTS: usize = 4 * BATCH_EVENTS;

/// Messages of one number that wait for a send slot in memory. More stay in their conversations and are offered
/// again at their deadline: at 80 messages/s this is two minutes of backlog, twice the time to the next offer.
pub const READY_MESSAGES: usize = 10_000;

/// POSTs of one number under way at once: 1,000 messages/s (the provider's highest tier) at 250 ms each.
pub const POSTS_PER_NUMBER: usize = 256;

/// Send slots that a node holds of one number, in time: what is lost with a node that dies, and what one that was
/// stopped keeps from others. Ten calls a second to the store with backlog.
pub const SLOTS_AHEAD: Duration = Duration::from_millis(200);

/// How much later than its slot a message may leave, counted from the earliest instant at which the slot may have
/// been. The rest of the store's tolerance is for the way to the provider.
pub const SLOT_USABLE: Duration = Duration::from_millis(20);

/// How long a slot is usable if the store answers so late that it is not known when exactly it was: time for one timer
/// to fire.
pub const SLOT_USABLE_MIN: Duration = Duration::from_millis(5);

/// Messages that may be claimed without having their slot yet.
pub const CLAIMED_AHEAD_MIN: usize = 4;

/// How long a claim's commit may take without costing a slot: it waits in a busy shard, for an fsync, for a store
/// elsewhere. A process that dies leaves a tenth of a second of claimed messages, beside those whose POST is under way.
pub const CLAIM_TIME: Duration = Duration::from_millis(100);

/// Nothing is claimed whose slot is further away, since many nodes may have booked a slow number for longer: a shard that
/// goes to another node waits for what is claimed, and that may cost a second at most.
pub const CLAIM_SIGHT: Duration = Duration::from_millis(500);

/// Received messages are told to the store when they make up this part of a second's limit, fewer with the next
/// reservation: what nodes do not know of each other is small against the limit.
pub const RECEIVED_SHARE: u32 = 40;

/// How often received messages are told at most: five calls a second of a number that only receives.
pub const RECEIVED_TOLD_EVERY: Duration = Duration::from_millis(200);

/// How often a paused number looks whether it may send again: what a person who resumes it accepts.
pub const PAUSE_POLL: Duration = Duration::from_millis(500);

/// Commands whose callers wait for a result, at about 300 bytes each. What a tenant adds to the log, and so to the delay
/// of others, is bounded by its share of them.
pub const WAITING_COMMANDS: usize = 10_000;

/// How long a caller waits for the committed result of a command.
pub const COMMAND_WAIT: Duration = Duration::from_secs(10);

/// How long a shard that goes to another node waits for POSTs under way. What is longer becomes in doubt, as after a
/// crash.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// From asking for a claim, a POST begins within this time or not at all: half of what the claim has until it is given
/// up as unknown, so that nothing leaves after people were told that. A slot is a matter of a second; only a process
/// that was stopped, or whose store does not answer, waits longer.
pub const POST_WITHIN: Duration = Duration::from_millis(domain::limits::IN_DOUBT.0.unsigned_abs() / 2);

/// Attempts to commit the same batch before the shard is loaded anew.
pub const COMMIT_ATTEMPTS: u32 = 8;

/// First pause between attempts of the same commit; doubles up to [`RETRY_MAX`].
pub const RETRY_MIN: Duration = Duration::from_millis(10);

/// Longest pause between attempts against a store that fails.
pub const RETRY_MAX: Duration = Duration::from_secs(1);

/// Failures of a consumer that are so far apart are not one: it worked in between, and had nothing to do. Longer than
/// what a call to a store that hangs may take.
pub const FAILURES_APART: Duration = Duration::from_secs(60);

/// Process crashes at one place in the log before its entry is set aside.
pub const CRASHES_PER_ENTRY: u32 = 3;

/// Conversations that are asked to recover after a shard was acquired; the rest follow at their own deadline.
pub const RECOVERED_CONVERSATIONS: usize = 10_000;

/// A timer that its conversation did not move, or whose tick failed, is asked again after this time: a fault
/// there must not become a busy loop.
pub const TIMER_RETRY: Duration = Duration::from_secs(60);

/// Names of contacts that are remembered with the conversation they lead to, two for each live conversation: at
/// about 100 bytes each, 20 MB.
pub const ALIASES: usize = 2 * LIVE_CONVERSATIONS;

/// How long a node believes where a name leads without asking the store again. Names rarely move to another
/// conversation, and commits of the node itself are learned at once: this bounds what other nodes may miss.
pub const ALIAS_KNOWN_FOR: SpanMs = SpanMs::minutes(10);

/// What a node has learned of a name within this after an erasure may be from before it: nodes hear of one within a
/// second or two, and their clocks differ a little. Until then the store is asked anew.
pub const ERASURE_HEARD: SpanMs = SpanMs::seconds(5);

/// How long a node believes that a name has no alias. Aliases appear when another node commits them.
pub const ALIAS_ABSENT_FOR: SpanMs = SpanMs::seconds(30);

const _: () = assert!(SLOT_USABLE.as_millis() < store::engine::limits::SLOT_TOLERANCE.as_millis());
const _: () = assert!(SLOT_USABLE_MIN.as_millis() < SLOT_USABLE.as_millis());
const _: () = assert!(LOCAL_INPUTS >= BATCH_EVENTS, "a shard must be able to fill a batch with local inputs");
const _: () = assert!(HEARTBEATS_PER_TTL >= 2, "one lost renewal must not cost the lease");
const _: () = assert!(READY_MESSAGES >= POSTS_PER_NUMBER, "the queue must be able to feed every POST");

/// Facts of one projection: one transaction of about a fifth of a second, during which other writers wait. The more
/// there are, the more of them change the same rows.
pub const PROJECT_FACTS: usize = 16_000;

/// Shortest rest between two projections: what a recruiter may wait for on an idle node.
pub const PROJECT_REST_MIN: Duration = Duration::from_millis(2);

/// What each fact of a batch adds to the rest after it: above 10,000 facts/s batches grow until they are full or
/// [`PROJECT_REST_MAX`] is reached, below they stay small.
pub const PROJECT_REST_PER_FACT: Duration = Duration::from_micros(100);

/// Longest rest for gathering facts: how much later the inbox of a busy node may be.
pub const PROJECT_REST_MAX: Duration = Duration::from_millis(100);

/// A projection rests at least so many times as long as it worked, unless the records are [`PROJECT_LAG_MAX`] behind.
/// It matters where processors are short, and there a third of one is left for the inbox.
pub const PROJECT_RESTS_PER_WORK: u32 = 2;

/// How late the inbox may be for the sake of conversations; a node that is never so short of processors is at most
/// [`PROJECT_REST_MAX`] late.
pub const PROJECT_LAG_MAX: Duration = Duration::from_secs(5);

/// How often projected facts are made durable, so that the engine may forget them: an fsync each time. What gathers
/// in between is written at once, and the journal of the engine waits behind it: with a second in between the p99 of
/// webhook answers at 70 % of the knee was 117 and 173 ms, with a fifth of it 54 and 61 ms, with a twentieth anything
/// between 38 and 138 ms.
pub const SYNC_EVERY: Duration = Duration::from_millis(200);

/// How often the records forget what is past its time; all of it is kept for at least a day.
pub const FORGET_EVERY: Duration = Duration::from_secs(3_600);

/// Events that a consumer reads at once, if so many wait: one transaction, and about 4 MB in memory.
pub const FOLLOW_EVENTS: usize = 4_000;

/// Rest of a consumer between two batches that were not full, for the same reason. Nobody waits for a bill, and a
/// notification may be that late.
pub const FOLLOW_SPACING: Duration = Duration::from_millis(20);

/// Batches of events kept for the other consumers: as many as there are followers, so that one that is a batch
/// behind still finds it. About 16 MB while they are full.
pub const FOLLOW_BATCHES: usize = 4;

/// How often a consumer looks for events of another process. Those of its own process wake it.
pub const FOLLOW_POLL: Duration = Duration::from_secs(1);

/// How often somebody who waits for the records looks whether another process has projected. Its own wakes it.
pub const CAUGHT_UP_POLL: Duration = Duration::from_millis(10);

/// Notifications on their way to the streams of this process. A stream that is further behind reads the records.
pub const NOTIFICATIONS_IN_FLIGHT: usize = 1_024;

/// How often the directory is looked at for templates that wait to be submitted: what a person who edits one waits
/// before the provider has it. Costs nothing while nothing changes.
pub const TEMPLATE_POLL: Duration = Duration::from_millis(250);

/// Calls about templates under way at once: enough that some that wait for their time-out hold nobody up, and far
/// below what a provider allows.
pub const TEMPLATE_CALLS: usize = 16;

/// Ways to reach users who are away that are looked at together.
pub const REACH_BATCH: usize = 32;

/// Attempts to tell users under way at once: a mail server may take a second for each.
pub const REACHES_AT_ONCE: usize = 4;

/// How often ways that became due are looked for: a phone may ring a second later.
pub const REACH_POLL: Duration = Duration::from_secs(1);

/// Whoever tells a user has it for so long; longer than an attempt lasts, so that two nodes never try at once.
pub const REACH_CLAIM: SpanMs = SpanMs::minutes(2);

/// Attempts to tell a user: with the pauses between them about a day, after which it is no news.
pub const TELL_ATTEMPTS: u32 = 30;

/// Pause after the first failed attempt; doubles up to [`TELL_RETRY_MAX`].
pub const TELL_RETRY_MIN: SpanMs = SpanMs::seconds(30);

/// Longest pause between two attempts: what a mail server that was away for a day delays.
pub const TELL_RETRY_MAX: SpanMs = SpanMs::hours(1);

/// A mail server that does not answer a command for so long does not answer.
pub const MAIL_TIMEOUT: Duration = Duration::from_secs(15);

/// An attempt to send a mail as a whole: connection, greeting, credentials, message.
pub const MAIL_WITHIN: Duration = Duration::from_secs(45);

/// A push service that does not answer for so long does not answer.
pub const PUSH_WITHIN: Duration = Duration::from_secs(20);

/// A push service keeps a message for a browser that is off for so long (seconds): a day, then it is no news.
pub const PUSH_TTL_SECONDS: u32 = 86_400;

/// All messages have this topic: at the push service, and on the screen, the next one replaces the one before.
pub const PUSH_TOPIC: &str = "unread";

/// Bytes of one record of a push message; what services take at least (RFC 8291, 4).
pub const PUSH_RECORD_BYTES: u32 = 4_096;

/// Bytes of the address of a subscription; those of today's services have some 200.
pub const PUSH_ENDPOINT_BYTES: usize = 1_000;

/// A push is signed for so long (RFC 8292 allows 24 hours): clocks may differ.
pub const VAPID_FOR: SpanMs = SpanMs::hours(12);

/// How often the streams that are open are written down.
pub const PRESENT_EVERY: Duration = Duration::from_secs(10);

/// A user counts as being there for so long after that: two missed writes do no harm.
pub const PRESENT_FOR: SpanMs = SpanMs::seconds(30);

const _: () = assert!(REACH_CLAIM.0 > 2 * PUSH_WITHIN.as_millis() as i64);
const _: () = assert!(REACH_CLAIM.0 > 2 * MAIL_WITHIN.as_millis() as i64);
const _: () = assert!(PRESENT_FOR.0 > 2 * PRESENT_EVERY.as_millis() as i64);

/// How often credits are compared with what tenants want to be told about: a payment takes longer.
pub const CREDITS_POLL: Duration = Duration::from_secs(1);

/// How often the notes are read that say when templates were compared: what a person who asks for it waits.
pub const TEMPLATE_SYNC_POLL: Duration = Duration::from_secs(5);

/// A comparison that failed is tried again after this: a token has to be repaired, or the provider is away.
pub const TEMPLATE_SYNC_RETRY: SpanMs = SpanMs::hours(1);

/// Pages of one comparison: more templates than the provider lets an account have.
pub const TEMPLATE_SYNC_PAGES: usize = 200;

/// The last use of a template is kept to this: a send should not cost a write.
pub const TEMPLATE_USE_EVERY: SpanMs = SpanMs::hours(1);

/// Deliveries of one endpoint that are read at once.
pub const ENDPOINT_BATCH: usize = 32;

/// POSTs to one endpoint under way at once: enough to keep up, and gentle to a small server.
pub const ENDPOINT_POSTS: usize = 4;

/// One POST to an endpoint lasts no longer (Standard Webhooks: 15 to 30 s).
pub const ENDPOINT_TIMEOUT: Duration = Duration::from_secs(15);

/// The longest `Retry-After` of an endpoint that is honoured.
pub const RETRY_AFTER_MAX: SpanMs = SpanMs::hours(24);

/// Failures in a row after which an endpoint is left alone for a while.
pub const BREAKER_FAILURES: u32 = 5;

/// The first rest of an endpoint; doubles up to [`BREAKER_MAX`].
pub const BREAKER_MIN: SpanMs = SpanMs::seconds(30);

/// The longest rest of an endpoint: what a person who repaired it waits at most.
pub const BREAKER_MAX: SpanMs = SpanMs::minutes(10);

const _: () = assert!(ENDPOINT_POSTS <= ENDPOINT_BATCH);
const _: () = assert!(FOLLOW_EVENTS <= store::records::limits::MAX_EVENT_PAGE);

/// A stored content that no file takes within this time is removed: whoever stored it has ended on the way.
pub const BLOB_ADOPTED_WITHIN: SpanMs = SpanMs::hours(24);

/// A file at the provider is used for so long; the provider forgets it a day later (facts 3.4: 30 days).
pub const UPLOAD_USED_FOR: SpanMs = SpanMs::hours(29 * 24);

/// What is due about files is looked for this often: a person who waits for a picture does not notice.
pub const FILE_POLL: Duration = Duration::from_millis(500);

/// Files that are fetched, or scanned, at once: each is in memory as a whole, and as long as the settings allow.
pub const FILES_AT_ONCE: usize = 4;

/// Contents that are removed at once.
pub const SPARE_BLOBS_AT_ONCE: usize = 100;

/// Pause after the first attempt to fetch a file; each further one is four times as long.
pub const FETCH_RETRY_MIN: SpanMs = SpanMs::seconds(5);

/// Longest pause between two attempts to fetch a file: some thirty attempts while the provider has it.
pub const FETCH_RETRY_MAX: SpanMs = SpanMs::hours(6);

/// The provider keeps what contacts send for so long (facts 3.4: 7 days).
pub const FETCH_GIVES_UP_AFTER: SpanMs = SpanMs::hours(7 * 24);

/// Pause after the first attempt to have a file scanned; each further one is twice as long.
pub const SCAN_RETRY_MIN: SpanMs = SpanMs::seconds(2);

/// Longest pause between two attempts to have a file scanned.
pub const SCAN_RETRY_MAX: SpanMs = SpanMs::minutes(10);

/// A scanner that does not answer for so long will not: the file stays locked away.
pub const SCAN_GIVES_UP_AFTER: SpanMs = SpanMs::hours(24);

const _: () =
    assert!(UPLOAD_USED_FOR.0 < SpanMs::hours(30 * 24).0, "the provider forgets files after 30 days");
