-- Answers of applications name files by the provider's id.
CREATE INDEX attachments_by_media ON attachments (media) WHERE media IS NOT NULL;
