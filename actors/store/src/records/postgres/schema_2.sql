-- What a message says is stored once, in its event; `messages` keeps what became of it. Events of a conversation are
-- found from each one to the one before it, without an index that grows with every event. No release had version 1:
-- nodes of it are stopped before the first one of this version starts.
CREATE TABLE newest_events (conversation BYTEA PRIMARY KEY, seq BIGINT NOT NULL) WITH (fillfactor = 70);
INSERT INTO newest_events (conversation, seq)
    SELECT conversation, max(seq) FROM events WHERE conversation IS NOT NULL GROUP BY conversation;

ALTER TABLE events ADD COLUMN previous BIGINT; -- place of the event before it in its conversation
UPDATE events SET previous = earlier.seq FROM
    (SELECT seq AS of_seq, lag(seq) OVER (PARTITION BY conversation ORDER BY seq) AS seq
        FROM events WHERE conversation IS NOT NULL) AS earlier
    WHERE events.seq = earlier.of_seq AND earlier.seq IS NOT NULL;
ALTER TABLE events DROP COLUMN conversation; -- and its index
-- As the engine stores facts; those of version 1 are JSON.
ALTER TABLE events ALTER COLUMN body TYPE BYTEA USING convert_to(body, 'UTF8');

-- What is left of `sender` and so on is that of messages to the contact.
ALTER TABLE messages ALTER COLUMN sender DROP NOT NULL, ALTER COLUMN status_rank DROP NOT NULL;
UPDATE messages SET sender = NULL, status_rank = NULL, provider_id = NULL WHERE direction = 'inbound';
ALTER TABLE messages
    DROP COLUMN tenant,
    DROP COLUMN direction,
    DROP COLUMN content,
    DROP COLUMN reply_to,
    DROP COLUMN at,
    DROP COLUMN category,
    DROP COLUMN blocked;
DROP INDEX messages_by_conversation;
CREATE INDEX messages_sent ON messages (conversation) WHERE sender IS NOT NULL;
