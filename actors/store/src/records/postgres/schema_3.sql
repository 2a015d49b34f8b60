-- Credits: amounts are billionths of the currency of the account.
CREATE TABLE credits (
    tenant BYTEA PRIMARY KEY,
    currency TEXT NOT NULL,
    balance_nano BIGINT NOT NULL CHECK (balance_nano >= 0),
    reserved_nano BIGINT NOT NULL CHECK (reserved_nano >= 0)
);
CREATE TABLE credit_reservations (
    message BYTEA PRIMARY KEY,
    tenant BYTEA NOT NULL,
    amount_nano BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE TABLE credit_entries (
    id BYTEA PRIMARY KEY,
    tenant BYTEA NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    amount_nano BIGINT NOT NULL,
    currency TEXT NOT NULL,
    message BYTEA,
    reference TEXT
);
CREATE INDEX credit_entries_newest ON credit_entries (tenant, at, id);
