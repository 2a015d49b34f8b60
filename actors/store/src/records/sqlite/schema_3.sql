-- Credits: amounts are billionths of the currency of the account.
CREATE TABLE credits (
    tenant BLOB PRIMARY KEY,
    currency TEXT NOT NULL,
    balance_nano INTEGER NOT NULL CHECK (balance_nano >= 0),
    reserved_nano INTEGER NOT NULL CHECK (reserved_nano >= 0)
) WITHOUT ROWID;
CREATE TABLE credit_reservations (
    message BLOB PRIMARY KEY,
    tenant BLOB NOT NULL,
    amount_nano INTEGER NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE credit_entries (
    id BLOB PRIMARY KEY,
    tenant BLOB NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    amount_nano INTEGER NOT NULL,
    currency TEXT NOT NULL,
    message BLOB,
    reference TEXT
) WITHOUT ROWID;
CREATE INDEX credit_entries_newest ON credit_entries (tenant, at, id);
