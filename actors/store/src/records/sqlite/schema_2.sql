-- What a message says is stored once, in its event; `messages` keeps what became of it. Events of a conversation are
-- found from each one to the one before it: an index by conversation changes a page of its own with nearly every
-- event, and that page is written as a whole, to the log and to the database.
CREATE TABLE newest_events (conversation BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO newest_events (conversation, seq)
    SELECT conversation, max(seq) FROM events WHERE conversation IS NOT NULL GROUP BY conversation;

CREATE TABLE events_2 (
    seq INTEGER PRIMARY KEY,
    tenant BLOB,
    previous INTEGER, -- place of the event before it in its conversation
    body BLOB NOT NULL -- as the engine stores facts; those of version 1 are JSON
);
INSERT INTO events_2 (seq, tenant, previous, body)
    SELECT seq, tenant,
        CASE WHEN conversation IS NOT NULL THEN lag(seq) OVER (PARTITION BY conversation ORDER BY seq) END,
        CAST(body AS BLOB)
    FROM events ORDER BY seq;
DROP TABLE events;
ALTER TABLE events_2 RENAME TO events;
CREATE INDEX events_by_tenant ON events (tenant);

CREATE TABLE messages_2 (
    seq INTEGER PRIMARY KEY, -- of the event that brought it
    id BLOB NOT NULL UNIQUE,
    conversation BLOB NOT NULL,
    attachment INTEGER NOT NULL,
    -- Of a message to the contact:
    sender TEXT,
    status TEXT,
    status_rank INTEGER, -- height in the lattice
    status_at INTEGER,
    provider_id TEXT,
    pricing TEXT,
    errors TEXT
);
INSERT INTO messages_2
    (seq, id, conversation, attachment, sender, status, status_rank, status_at, provider_id, pricing, errors)
    SELECT seq, id, conversation, attachment, sender, status, status_rank, status_at, provider_id, pricing, errors
    FROM messages WHERE direction = 'outbound'
    UNION ALL
    SELECT seq, id, conversation, attachment, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM messages WHERE direction = 'inbound';
DROP TABLE messages;
ALTER TABLE messages_2 RENAME TO messages;
CREATE INDEX messages_sent ON messages (conversation) WHERE sender IS NOT NULL;
CREATE INDEX messages_with_files ON messages (conversation) WHERE attachment = 1;
