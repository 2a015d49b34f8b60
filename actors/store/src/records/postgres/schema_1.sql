-- The tables of the SQLite records, in PostgreSQL's words. Ids are 16 bytes, big-endian. Times are milliseconds since
-- 1970, UTC. Yes and no are 1 and 0. Text that is compared by order or prefix is compared by its bytes, whatever the
-- database's language. No foreign keys: facts arrive in the order of their commits, and a projection takes what it gets.

-- Numbers of the store as a whole, such as revisions.
CREATE TABLE numbers (name TEXT PRIMARY KEY, value BIGINT NOT NULL);

-- Up to where each lane of facts was projected.
CREATE TABLE projected (lane BIGINT PRIMARY KEY, position BIGINT NOT NULL);

-- Where consumers of the events stand.
CREATE TABLE cursors (consumer TEXT PRIMARY KEY, seq BIGINT NOT NULL);

-- Every fact, for ever: the feed, `explain`, and what a rebuild derives the other tables from. The id is in the body;
-- nobody asks by it, and an index of hashes would touch another page with each event.
CREATE TABLE events (
    seq BIGINT PRIMARY KEY,
    tenant BYTEA,
    conversation BYTEA,
    body TEXT NOT NULL
);
CREATE INDEX events_by_tenant ON events (tenant, seq);
CREATE INDEX events_by_conversation ON events (conversation, seq) WHERE conversation IS NOT NULL;

-- Derived.
CREATE TABLE conversations (
    id BYTEA PRIMARY KEY,
    tenant BYTEA NOT NULL,
    number BYTEA NOT NULL,
    channel TEXT NOT NULL,
    contact BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    mode TEXT NOT NULL,
    owner TEXT,
    vacancy_id TEXT,
    vacancy_title TEXT,
    flow_id TEXT,
    flow_version BIGINT,
    flow_step TEXT,
    window_opened_at BIGINT,
    window_expires_at BIGINT,
    unread BIGINT NOT NULL,
    unanswered_since BIGINT,
    last_message BYTEA,
    last_message_at BIGINT,
    last_direction TEXT,
    last_kind TEXT,
    last_text TEXT,
    last_inbound_at BIGINT,
    last_outbound_at BIGINT,
    last_outbound_by TEXT,
    last_reply_at BIGINT,
    blocked SMALLINT NOT NULL,
    left_chat SMALLINT NOT NULL,
    paused SMALLINT NOT NULL,
    sort_at BIGINT NOT NULL
);
CREATE INDEX conversations_newest ON conversations (tenant, sort_at, id);
CREATE INDEX conversations_by_contact ON conversations (contact);
CREATE INDEX conversations_by_owner ON conversations (tenant, owner, sort_at, id) WHERE owner IS NOT NULL;
CREATE INDEX conversations_unread ON conversations (tenant, sort_at, id) WHERE unread > 0;
CREATE INDEX conversations_unanswered ON conversations (tenant, sort_at, id) WHERE unanswered_since IS NOT NULL;

CREATE TABLE messages (
    seq BIGINT PRIMARY KEY, -- of the event that brought it
    id BYTEA NOT NULL UNIQUE,
    tenant BYTEA NOT NULL,
    conversation BYTEA NOT NULL,
    direction TEXT NOT NULL,
    sender TEXT NOT NULL,
    content TEXT NOT NULL,
    attachment SMALLINT NOT NULL,
    reply_to TEXT,
    at BIGINT NOT NULL,
    category TEXT,
    blocked SMALLINT NOT NULL,
    status TEXT,
    status_rank SMALLINT NOT NULL, -- height in the lattice; -1 for inbound
    status_at BIGINT,
    provider_id TEXT,
    pricing TEXT,
    errors TEXT
);
CREATE INDEX messages_by_conversation ON messages (conversation, seq);
CREATE INDEX messages_with_files ON messages (conversation, seq) WHERE attachment = 1;

CREATE TABLE attempts (message BYTEA NOT NULL, at BIGINT NOT NULL, code BIGINT, detail TEXT NOT NULL);
CREATE INDEX attempts_by_message ON attempts (message);

CREATE TABLE contacts (
    id BYTEA PRIMARY KEY,
    tenant BYTEA NOT NULL,
    key TEXT NOT NULL,
    phone BIGINT,
    bsuid TEXT,
    username TEXT,
    profile_name TEXT,
    card_name TEXT,
    stage TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX contacts_newest ON contacts (tenant, created_at, id);
CREATE INDEX contacts_by_phone ON contacts (tenant, phone) WHERE phone IS NOT NULL;

-- Folded words of names, and tails of phone numbers: a prefix search is a range.
CREATE TABLE contact_words (
    tenant BYTEA NOT NULL,
    word TEXT COLLATE "C" NOT NULL,
    contact BYTEA NOT NULL,
    PRIMARY KEY (tenant, word, contact)
);

CREATE TABLE consents (
    contact BYTEA NOT NULL,
    channel TEXT NOT NULL,
    tenant BYTEA NOT NULL,
    at BIGINT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (contact, channel)
);

-- Lines of facts are derived (event_seq is set); lines of configuration changes exist only here.
CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_seq BIGINT,
    tenant BYTEA NOT NULL,
    at BIGINT NOT NULL,
    party TEXT NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    conversation BYTEA,
    subject TEXT,
    detail TEXT NOT NULL
);
CREATE INDEX audit_newest ON audit (tenant, at, id);
CREATE INDEX audit_by_conversation ON audit (conversation) WHERE conversation IS NOT NULL;

-- Billing. Amounts are billionths of the currency: exact, and SQL can add them up.
CREATE TABLE ledger (
    id BYTEA PRIMARY KEY,
    tenant BYTEA NOT NULL,
    number BYTEA NOT NULL,
    conversation BYTEA NOT NULL,
    message BYTEA,
    at BIGINT NOT NULL,
    day TEXT COLLATE "C" NOT NULL,
    category TEXT COLLATE "C" NOT NULL,
    origin TEXT NOT NULL,
    policy TEXT NOT NULL,
    market TEXT NOT NULL,
    amount_nano BIGINT NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    cost_nano BIGINT,
    cost_currency TEXT,
    explanation TEXT NOT NULL,
    provider TEXT,
    differs SMALLINT NOT NULL
);
CREATE INDEX ledger_newest ON ledger (tenant, at, id);
CREATE INDEX ledger_by_day ON ledger (tenant, day);
CREATE INDEX ledger_by_conversation ON ledger (conversation);
CREATE INDEX ledger_by_message ON ledger (message) WHERE message IS NOT NULL;
CREATE TABLE meter_states (conversation BYTEA PRIMARY KEY, state BYTEA NOT NULL);
CREATE TABLE meter_counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);

-- One event tells one user at most once.
CREATE TABLE notifications (
    user_id BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    id BYTEA NOT NULL,
    tenant BYTEA NOT NULL,
    about TEXT NOT NULL,
    conversation BYTEA NOT NULL,
    message BYTEA,
    at BIGINT NOT NULL,
    read_at BIGINT,
    PRIMARY KEY (user_id, seq)
);
CREATE INDEX notifications_unread ON notifications (user_id, conversation) WHERE read_at IS NULL;

CREATE TABLE deliveries (
    endpoint BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    tenant BYTEA NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    last_error TEXT,
    PRIMARY KEY (endpoint, seq)
);
CREATE INDEX deliveries_due ON deliveries (endpoint, next_at, seq) WHERE state = 'pending';

-- What tenants configure. The tenant of what belongs to the installation is sixteen zeros.
CREATE TABLE documents (
    kind TEXT NOT NULL,
    tenant BYTEA NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, tenant, id)
);

CREATE TABLE idempotency_keys (
    tenant BYTEA NOT NULL,
    key TEXT NOT NULL,
    fingerprint BIGINT NOT NULL,
    at BIGINT NOT NULL,
    status BIGINT,
    etag TEXT,
    body TEXT,
    PRIMARY KEY (tenant, key)
);
CREATE INDEX idempotency_keys_oldest ON idempotency_keys (at);
