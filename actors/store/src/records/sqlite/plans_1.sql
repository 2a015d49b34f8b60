-- What the planner shall take for granted, instead of nothing: a big store of a big tenant. Without it SQLite walks
-- a tenant's whole inbox in order, hoping to meet a rare name soon. Fixed, so that plans are the same everywhere.
-- The numbers: rows, then rows for each value of the first column, of the first two …
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('conversations', 'conversations_newest', '1000000 100000 2 1'),
    ('conversations', 'conversations_by_contact', '1000000 1'),
    ('conversations', 'conversations_by_owner', '1000000 100000 1000 2 1'),
    ('conversations', 'conversations_unread', '100000 10000 2 1'),
    ('conversations', 'conversations_unanswered', '100000 10000 2 1'),
    ('contacts', 'contacts_newest', '1000000 100000 2 1'),
    ('contacts', 'contacts_by_phone', '1000000 100000 1'),
    ('contact_words', 'contact_words', '5000000 500000 50 1'),
    ('audit', 'audit_newest', '1000000 100000 2 1'),
    ('audit', 'audit_by_conversation', '1000000 5'),
    ('ledger', 'ledger_newest', '1000000 100000 2 1'),
    ('ledger', 'ledger_by_day', '1000000 100000 1000'),
    ('ledger', 'ledger_by_conversation', '1000000 5'),
    ('ledger', 'ledger_by_message', '1000000 1');
ANALYZE sqlite_schema;
