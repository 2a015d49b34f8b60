-- Payments that were asked for when credits ran low.
ALTER TABLE credits ADD COLUMN payments BIGINT NOT NULL DEFAULT 0;
CREATE TABLE credit_recharges (
    id BYTEA PRIMARY KEY,
    tenant BYTEA NOT NULL,
    asked_at BIGINT NOT NULL,
    amount_nano BIGINT NOT NULL,
    currency TEXT NOT NULL,
    available_nano BIGINT NOT NULL,
    state TEXT NOT NULL,
    ended_at BIGINT,
    detail TEXT
);
CREATE INDEX credit_recharges_newest ON credit_recharges (tenant, asked_at, id);
CREATE UNIQUE INDEX credit_recharges_open ON credit_recharges (tenant) WHERE state = 'asked';
CREATE TABLE credit_memory (tenant BYTEA PRIMARY KEY, memory TEXT NOT NULL);
