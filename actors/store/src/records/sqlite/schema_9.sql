-- A notification may be about no conversation.
CREATE TABLE notifications_9 (
    user_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    id BLOB NOT NULL,
    tenant BLOB NOT NULL,
    about TEXT NOT NULL,
    conversation BLOB,
    message BLOB,
    at INTEGER NOT NULL,
    read_at INTEGER,
    PRIMARY KEY (user_id, seq)
) WITHOUT ROWID;
INSERT INTO notifications_9 SELECT user_id, seq, id, tenant, about, conversation, message, at, read_at FROM notifications;
DROP TABLE notifications;
ALTER TABLE notifications_9 RENAME TO notifications;
CREATE INDEX notifications_unread ON notifications (user_id, conversation) WHERE read_at IS NULL;

-- Ways to reach users who are away. One without a device is the mailbox; its id is the user's.
CREATE TABLE reaches (
    id BLOB PRIMARY KEY,
    tenant BLOB NOT NULL,
    user_id BLOB NOT NULL,
    device TEXT,
    created_at INTEGER NOT NULL,
    told INTEGER NOT NULL, -- notifications up to this place were told this way
    next_at INTEGER, -- when it is looked at next
    attempts INTEGER NOT NULL,
    last_error TEXT
) WITHOUT ROWID;
CREATE INDEX reaches_due ON reaches (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX reaches_by_user ON reaches (user_id);

-- Until when users count as being there: a stream of theirs is open.
CREATE TABLE present (
    user_id BLOB PRIMARY KEY,
    until INTEGER NOT NULL
) WITHOUT ROWID;
