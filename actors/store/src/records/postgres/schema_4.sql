-- The report of consents.
CREATE INDEX consents_newest ON consents (tenant, channel, at, contact);
