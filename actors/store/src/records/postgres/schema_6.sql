-- Files of messages: one per tenant and content. The content is in the blob store.
CREATE TABLE files (
    id BYTEA PRIMARY KEY, -- hash of tenant and content
    tenant BYTEA NOT NULL,
    sha256 BYTEA NOT NULL,
    mime TEXT NOT NULL,
    kind TEXT,
    bytes BIGINT NOT NULL,
    blob TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    scan TEXT NOT NULL,
    scan_attempts BIGINT NOT NULL,
    scan_at BIGINT -- when the scanner is asked next
);
CREATE INDEX files_to_scan ON files (scan_at) WHERE scan_at IS NOT NULL;

-- Where providers have them.
CREATE TABLE file_uploads (
    file BYTEA NOT NULL,
    number BYTEA NOT NULL,
    media TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (file, number)
);

-- Which message has which file. Written with the message, kept by a rebuild.
CREATE TABLE attachments (
    message BYTEA PRIMARY KEY,
    tenant BYTEA NOT NULL,
    conversation BYTEA NOT NULL,
    number BYTEA NOT NULL,
    at BIGINT NOT NULL, -- of the message
    media TEXT, -- the provider's id of what a contact sent
    file BYTEA,
    attempts BIGINT NOT NULL,
    next_at BIGINT, -- when it is fetched next
    error TEXT
);
CREATE INDEX attachments_by_conversation ON attachments (conversation);
CREATE INDEX attachments_by_file ON attachments (file) WHERE file IS NOT NULL;
CREATE INDEX attachments_to_fetch ON attachments (next_at) WHERE next_at IS NOT NULL;

-- Contents that are removed at a time: no file has them any more, or not yet.
CREATE TABLE spare_blobs (
    blob TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    conversation BYTEA -- whose erasure left it behind
);
CREATE INDEX spare_blobs_oldest ON spare_blobs (at);
