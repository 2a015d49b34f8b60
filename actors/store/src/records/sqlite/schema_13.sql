-- By what conversations are looked up where they are few. In PostgreSQL it is a table apart; SQLite leaves an index alone when
-- no column of it is changed, so that the indexes of conversations do.
CREATE VIEW conversation_keys (id, tenant, number, channel, contact, mode) AS
    SELECT id, tenant, number, channel, contact, mode FROM conversations;
