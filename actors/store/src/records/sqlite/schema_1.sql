-- Ids are 16 bytes, big-endian. Times are milliseconds since 1970, UTC. No foreign keys: facts arrive in the
-- order of their commits, and a projection takes what it gets.

-- Numbers of the store as a whole, such as revisions.
CREATE TABLE numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

-- Up to where each lane of facts was projected.
CREATE TABLE projected (lane INTEGER PRIMARY KEY, position INTEGER NOT NULL);

-- Where consumers of the events stand.
CREATE TABLE cursors (consumer TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;

-- Every fact, for ever: the feed, `explain`, and what a rebuild derives the other tables from. The id is in the body;
-- nobody asks by it, and an index of hashes would touch another page with each event.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    tenant BLOB,
    conversation BLOB,
    body TEXT NOT NULL
);
CREATE INDEX events_by_tenant ON events (tenant, seq);
CREATE INDEX events_by_conversation ON events (conversation, seq) WHERE conversation IS NOT NULL;

-- Derived.
CREATE TABLE conversations (
    id BLOB PRIMARY KEY,
    tenant BLOB NOT NULL,
    number BLOB NOT NULL,
    channel TEXT NOT NULL,
    contact BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    mode TEXT NOT NULL,
    owner TEXT,
    vacancy_id TEXT,
    vacancy_title TEXT,
    flow_id TEXT,
    flow_version INTEGER,
    flow_step TEXT,
    window_opened_at INTEGER,
    window_expires_at INTEGER,
    unread INTEGER NOT NULL,
    unanswered_since INTEGER,
    last_message BLOB,
    last_message_at INTEGER,
    last_direction TEXT,
    last_kind TEXT,
    last_text TEXT,
    last_inbound_at INTEGER,
    last_outbound_at INTEGER,
    last_outbound_by TEXT,
    last_reply_at INTEGER,
    blocked INTEGER NOT NULL,
    left_chat INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    sort_at INTEGER NOT NULL
);
CREATE INDEX conversations_newest ON conversations (tenant, sort_at, id);
CREATE INDEX conversations_by_contact ON conversations (contact);
CREATE INDEX conversations_by_owner ON conversations (tenant, owner, sort_at, id) WHERE owner IS NOT NULL;
CREATE INDEX conversations_unread ON conversations (tenant, sort_at, id) WHERE unread > 0;
CREATE INDEX conversations_unanswered ON conversations (tenant, sort_at, id) WHERE unanswered_since IS NOT NULL;

CREATE TABLE messages (
    seq INTEGER PRIMARY KEY, -- of the event that brought it
    id BLOB NOT NULL UNIQUE,
    tenant BLOB NOT NULL,
    conversation BLOB NOT NULL,
    direction TEXT NOT NULL,
    sender TEXT NOT NULL,
    content TEXT NOT NULL,
    attachment INTEGER NOT NULL,
    reply_to TEXT,
    at INTEGER NOT NULL,
    category TEXT,
    blocked INTEGER NOT NULL,
    status TEXT,
    status_rank INTEGER NOT NULL, -- height in the lattice; -1 for inbound
    status_at INTEGER,
    provider_id TEXT,
    pricing TEXT,
    errors TEXT
);
CREATE INDEX messages_by_conversation ON messages (conversation, seq);
CREATE INDEX messages_with_files ON messages (conversation, seq) WHERE attachment = 1;

CREATE TABLE attempts (message BLOB NOT NULL, at INTEGER NOT NULL, code INTEGER, detail TEXT NOT NULL);
CREATE INDEX attempts_by_message ON attempts (message);

CREATE TABLE contacts (
    id BLOB PRIMARY KEY,
    tenant BLOB NOT NULL,
    key TEXT NOT NULL,
    phone INTEGER,
    bsuid TEXT,
    username TEXT,
    profile_name TEXT,
    card_name TEXT,
    stage TEXT,
    created_at INTEGER NOT NULL
);
CREATE INDEX contacts_newest ON contacts (tenant, created_at, id);
CREATE INDEX contacts_by_phone ON contacts (tenant, phone) WHERE phone IS NOT NULL;

-- Folded words of names, and tails of phone numbers: a prefix search is a range.
CREATE TABLE contact_words (
    tenant BLOB NOT NULL,
    word TEXT NOT NULL,
    contact BLOB NOT NULL,
    PRIMARY KEY (tenant, word, contact)
) WITHOUT ROWID;

CREATE TABLE consents (
    contact BLOB NOT NULL,
    channel TEXT NOT NULL,
    tenant BLOB NOT NULL,
    at INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (contact, channel)
) WITHOUT ROWID;

-- Lines of facts are derived (event_seq is set); lines of configuration changes exist only here.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    event_seq INTEGER,
    tenant BLOB NOT NULL,
    at INTEGER NOT NULL,
    party TEXT NOT NULL,
    action TEXT NOT NULL,
    conversation BLOB,
    subject TEXT,
    detail TEXT NOT NULL
);
CREATE INDEX audit_newest ON audit (tenant, at, id);
CREATE INDEX audit_by_conversation ON audit (conversation) WHERE conversation IS NOT NULL;

-- Billing. Amounts are billionths of the currency: exact, and SQL can add them up.
CREATE TABLE ledger (
    id BLOB PRIMARY KEY,
    tenant BLOB NOT NULL,
    number BLOB NOT NULL,
    conversation BLOB NOT NULL,
    message BLOB,
    at INTEGER NOT NULL,
    day TEXT NOT NULL,
    category TEXT NOT NULL,
    origin TEXT NOT NULL,
    policy TEXT NOT NULL,
    market TEXT NOT NULL,
    amount_nano INTEGER NOT NULL,
    currency TEXT NOT NULL,
    cost_nano INTEGER,
    cost_currency TEXT,
    explanation TEXT NOT NULL,
    provider TEXT,
    differs INTEGER NOT NULL
);
CREATE INDEX ledger_newest ON ledger (tenant, at, id);
CREATE INDEX ledger_by_day ON ledger (tenant, day);
CREATE INDEX ledger_by_conversation ON ledger (conversation);
CREATE INDEX ledger_by_message ON ledger (message) WHERE message IS NOT NULL;
CREATE TABLE meter_states (conversation BLOB PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE meter_counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

-- One event tells one user at most once.
CREATE TABLE notifications (
    user_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    id BLOB NOT NULL,
    tenant BLOB NOT NULL,
    about TEXT NOT NULL,
    conversation BLOB NOT NULL,
    message BLOB,
    at INTEGER NOT NULL,
    read_at INTEGER,
    PRIMARY KEY (user_id, seq)
) WITHOUT ROWID;
CREATE INDEX notifications_unread ON notifications (user_id, conversation) WHERE read_at IS NULL;

CREATE TABLE deliveries (
    endpoint BLOB NOT NULL,
    seq INTEGER NOT NULL,
    tenant BLOB NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    last_error TEXT,
    PRIMARY KEY (endpoint, seq)
) WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (endpoint, next_at, seq) WHERE state = 'pending';

-- What tenants configure. The tenant of what belongs to the installation is sixteen zeros.
CREATE TABLE documents (
    kind TEXT NOT NULL,
    tenant BLOB NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, tenant, id)
);

CREATE TABLE idempotency_keys (
    tenant BLOB NOT NULL,
    key TEXT NOT NULL,
    fingerprint INTEGER NOT NULL,
    at INTEGER NOT NULL,
    status INTEGER,
    etag TEXT,
    body TEXT,
    PRIMARY KEY (tenant, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_oldest ON idempotency_keys (at);
