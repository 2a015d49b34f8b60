-- The card of a contact, by the contact alone.
CREATE INDEX documents_contact_cards ON documents (id) WHERE kind = 'contact';
