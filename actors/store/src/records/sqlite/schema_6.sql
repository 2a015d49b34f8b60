-- Files of messages: one per tenant and content. The content is in the blob store.
CREATE TABLE files (
    id BLOB PRIMARY KEY, -- hash of tenant and content
    tenant BLOB NOT NULL,
    sha256 BLOB NOT NULL,
    mime TEXT NOT NULL,
    kind TEXT,
    bytes INTEGER NOT NULL,
    blob TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    scan TEXT NOT NULL,
    scan_attempts INTEGER NOT NULL,
    scan_at INTEGER -- when the scanner is asked next
) WITHOUT ROWID;
CREATE INDEX files_to_scan ON files (scan_at) WHERE scan_at IS NOT NULL;

-- Where providers have them.
CREATE TABLE file_uploads (
    file BLOB NOT NULL,
    number BLOB NOT NULL,
    media TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (file, number)
) WITHOUT ROWID;

-- Which message has which file. Written with the message, kept by a rebuild.
CREATE TABLE attachments (
    message BLOB PRIMARY KEY,
    tenant BLOB NOT NULL,
    conversation BLOB NOT NULL,
    number BLOB NOT NULL,
    at INTEGER NOT NULL, -- of the message
    media TEXT, -- the provider's id of what a contact sent
    file BLOB,
    attempts INTEGER NOT NULL,
    next_at INTEGER, -- when it is fetched next
    error TEXT
) WITHOUT ROWID;
CREATE INDEX attachments_by_conversation ON attachments (conversation);
CREATE INDEX attachments_by_file ON attachments (file) WHERE file IS NOT NULL;
CREATE INDEX attachments_to_fetch ON attachments (next_at) WHERE next_at IS NOT NULL;

-- Contents that are removed at a time: no file has them any more, or not yet.
CREATE TABLE spare_blobs (
    blob TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    conversation BLOB -- whose erasure left it behind
) WITHOUT ROWID;
CREATE INDEX spare_blobs_oldest ON spare_blobs (at);
