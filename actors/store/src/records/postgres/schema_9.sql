-- A notification may be about no conversation.
ALTER TABLE notifications ALTER COLUMN conversation DROP NOT NULL;

-- Ways to reach users who are away. One without a device is the mailbox; its id is the user's.
CREATE TABLE reaches (
    id BYTEA PRIMARY KEY,
    tenant BYTEA NOT NULL,
    user_id BYTEA NOT NULL,
    device TEXT,
    created_at BIGINT NOT NULL,
    told BIGINT NOT NULL, -- notifications up to this place were told this way
    next_at BIGINT, -- when it is looked at next
    attempts BIGINT NOT NULL,
    last_error TEXT
);
CREATE INDEX reaches_due ON reaches (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX reaches_by_user ON reaches (user_id);

-- Until when users count as being there: a stream of theirs is open.
CREATE TABLE present (
    user_id BYTEA PRIMARY KEY,
    until BIGINT NOT NULL
);
