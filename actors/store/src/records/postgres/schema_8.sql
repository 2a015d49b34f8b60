-- Who answered where: the filter by who replied.
CREATE TABLE repliers (
    tenant BYTEA NOT NULL,
    party TEXT NOT NULL,
    conversation BYTEA NOT NULL,
    PRIMARY KEY (tenant, party, conversation)
);
INSERT INTO repliers (tenant, party, conversation)
    SELECT DISTINCT c.tenant, m.sender, m.conversation FROM messages m JOIN conversations c ON c.id = m.conversation
    WHERE m.sender IS NOT NULL;

-- What few conversations have is looked up. None of these has a time in it: a message changes none of them.
CREATE INDEX conversations_by_number ON conversations (tenant, number);
CREATE INDEX conversations_by_channel ON conversations (tenant, channel);
CREATE INDEX conversations_by_mode ON conversations (tenant, mode);
CREATE INDEX conversations_in_flow ON conversations (tenant) WHERE flow_id IS NOT NULL;
CREATE INDEX conversations_blocked ON conversations (tenant) WHERE blocked = 1;
CREATE INDEX conversations_left ON conversations (tenant) WHERE left_chat = 1;
CREATE INDEX conversations_paused ON conversations (tenant) WHERE paused = 1;
CREATE INDEX contacts_by_stage ON contacts (tenant, stage) WHERE stage IS NOT NULL;
CREATE INDEX words_of_contact ON contact_words (contact, word);

-- What was common long ago is found in its order.
CREATE INDEX conversations_by_vacancy ON conversations (tenant, vacancy_id, sort_at, id) WHERE vacancy_id IS NOT NULL;
DROP INDEX conversations_unanswered;
CREATE INDEX conversations_unanswered ON conversations (tenant, sort_at, id, unanswered_since)
    WHERE unanswered_since IS NOT NULL;

-- A walk through the whole inbox reads nothing but this, one page after the other instead of one for each row.
DROP INDEX conversations_newest;
CREATE INDEX conversations_newest ON conversations (tenant, sort_at, id) INCLUDE (unread, number, contact, channel, mode,
    owner, vacancy_id, flow_id, window_expires_at, unanswered_since, last_message_at, last_outbound_at, last_reply_at,
    blocked, left_chat, paused);
