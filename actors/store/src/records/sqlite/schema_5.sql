-- Payments that were asked for when credits ran low.
ALTER TABLE credits ADD COLUMN payments INTEGER NOT NULL DEFAULT 0;
CREATE TABLE credit_recharges (
    id BLOB PRIMARY KEY,
    tenant BLOB NOT NULL,
    asked_at INTEGER NOT NULL,
    amount_nano INTEGER NOT NULL,
    currency TEXT NOT NULL,
    available_nano INTEGER NOT NULL,
    state TEXT NOT NULL,
    ended_at INTEGER,
    detail TEXT
) WITHOUT ROWID;
CREATE INDEX credit_recharges_newest ON credit_recharges (tenant, asked_at, id);
CREATE UNIQUE INDEX credit_recharges_open ON credit_recharges (tenant) WHERE state = 'asked';
CREATE TABLE credit_memory (tenant BLOB PRIMARY KEY, memory TEXT NOT NULL) WITHOUT ROWID;
