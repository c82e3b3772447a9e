-- In-order content that grows request by request, and the keys that are issued to clients before they upload.

alter table upload_session
    drop constraint upload_session_layout_check,
    -- appended: pieces of any length, each an object of its own, until they are joined or one of them is all there is.
    add constraint upload_session_layout_check check (layout in ('parts', 'staged', 'stream', 'appended'));

alter table part
    -- The multipart upload of a piece that is being written.
    add column multipart_id text,
    -- How many of a piece's bytes count, from its first; null: all of them. What follows was rewritten by a later piece.
    add column kept bigint check (kept between 0 and size);
