-- One of a stage is found, and all of it are listed, without a look at the contacts.
DROP INDEX contacts_by_stage;
CREATE INDEX contacts_by_stage ON contacts (tenant, stage, id) WHERE stage IS NOT NULL;
