-- Reservations that nobody ended are found by their age; what ends them says how much was held.
CREATE INDEX credit_reservations_oldest ON credit_reservations (at);
ALTER TABLE credit_entries ADD COLUMN released_nano BIGINT;
