-- By what conversations are looked up where they are few: an index that the database keeps by triggers. PostgreSQL writes
-- every index of a row again whenever a column of any of them is changed, and each message brings its conversation to the
-- top of the inbox; four indexes that no message is about made that two and a half times as much work. Who wrote and who
-- asks is all the same to it, so that nodes of the version before may go on.
CREATE TABLE conversation_keys (
    id BLOB PRIMARY KEY, -- of the conversation
    tenant BLOB NOT NULL,
    number BLOB NOT NULL,
    channel TEXT NOT NULL,
    contact BLOB NOT NULL,
    mode TEXT NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER conversation_begins AFTER INSERT ON conversations FOR EACH ROW BEGIN
    INSERT INTO conversation_keys (id, tenant, number, channel, contact, mode)
        VALUES (NEW.id, NEW.tenant, NEW.number, NEW.channel, NEW.contact, NEW.mode);
END;
CREATE TRIGGER conversation_changes_mode AFTER UPDATE OF mode ON conversations FOR EACH ROW WHEN OLD.mode <> NEW.mode BEGIN
    UPDATE conversation_keys SET mode = NEW.mode WHERE id = NEW.id;
END;
CREATE TRIGGER conversation_is_erased AFTER DELETE ON conversations FOR EACH ROW BEGIN
    DELETE FROM conversation_keys WHERE id = OLD.id;
END;

INSERT INTO conversation_keys (id, tenant, number, channel, contact, mode)
    SELECT id, tenant, number, channel, contact, mode FROM conversations;
CREATE INDEX conversation_keys_by_contact ON conversation_keys (contact, id);
CREATE INDEX conversation_keys_by_number ON conversation_keys (tenant, number, id);
CREATE INDEX conversation_keys_by_channel ON conversation_keys (tenant, channel, id);
CREATE INDEX conversation_keys_by_mode ON conversation_keys (tenant, mode, id);
DROP INDEX conversations_by_contact;
DROP INDEX conversations_by_number;
DROP INDEX conversations_by_channel;
DROP INDEX conversations_by_mode;

DELETE FROM sqlite_stat1 WHERE idx IN
    ('conversations_by_contact', 'conversations_by_number', 'conversations_by_channel', 'conversations_by_mode');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('conversation_keys', 'conversation_keys_by_contact', '1000000 1 1'),
    ('conversation_keys', 'conversation_keys_by_number', '1000000 100000 30000 1'),
    ('conversation_keys', 'conversation_keys_by_channel', '1000000 100000 50000 1'),
    ('conversation_keys', 'conversation_keys_by_mode', '1000000 100000 30000 1');
ANALYZE sqlite_schema;
