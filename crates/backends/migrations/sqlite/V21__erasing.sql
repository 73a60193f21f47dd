-- Erasing a user looks only at what names them.
CREATE INDEX join_request_decided_by ON join_request (decided_by) WHERE decided_by IS NOT NULL;
CREATE INDEX join_request_inviter ON join_request (inviter) WHERE inviter IS NOT NULL;
CREATE INDEX invite_link_made_by ON invite_link (made_by) WHERE made_by IS NOT NULL;
