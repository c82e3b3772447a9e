-- For adding up the pieces of an item that are open. Anybody with its ticket may begin some.

create index upload_session_piece_index on upload_session ((intent ->> 'piece_of'))
    where state = 'open' and intent ? 'piece_of';
