-- One of a stage is found, and all of it are listed, without a look at the contacts.
DROP INDEX contacts_by_stage;
CREATE INDEX contacts_by_stage ON contacts (tenant, stage, id) WHERE stage IS NOT NULL;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('contacts', 'contacts_by_stage', '500000 50000 10000 1');
ANALYZE sqlite_schema;
