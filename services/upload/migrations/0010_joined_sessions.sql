-- Uploads that were sent as several sessions and became one.

alter table part
    -- The object that holds the part, if it was sent to another session; null: the one that is named for its own session.
    add column object_key text;

alter table upload_session
    -- The session that got the parts of this one.
    add column joined_into uuid;
