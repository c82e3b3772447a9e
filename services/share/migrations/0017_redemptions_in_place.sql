-- Each statement alone.
-- A redemption changes one page of the table and no index, as long as the page has room: nothing that it changes is in an
-- index any more. With 10,000,000 shares it wrote to ten indexes, GIN's included, whose pages had to be read for it.

-- Sums over all shares read the rows for what this leaves out, and the order by downloads is sorted.
drop index concurrently if exists share_by_downloads_index;
drop index concurrently if exists share_by_creation_in_place_index;
create index concurrently share_by_creation_in_place_index on share (created_at, id)
    include (state, kind, size, expires_at) where state in ('active', 'spent');
drop index concurrently if exists share_by_creation_index;
alter index share_by_creation_in_place_index rename to share_by_creation_index;

alter table share set (fillfactor = 85);

-- For ending the shares whose last use is taken. By the state alone, of which there are no statistics, every partial index
-- on states looks the shortest way, and the one that was taken led through all shares.
drop index concurrently if exists share_spent_id_index;
create index concurrently share_spent_id_index on share ((case state when 'spent' then id end))
    where (case state when 'spent' then id end) is not null;
drop index concurrently if exists share_spent_index;

-- How often a keyword occurs, which decides whether a search walks through the list or through the index of words. What
-- is known of a partial index is not used for that, and a word that is in every name was searched for by sorting all.
drop statistics if exists share_words_statistics;
create statistics share_words_statistics on
    (' ' || lower(code || ' ' || name || ' ' || left(coalesce(body, ''), 2000))) from share;
analyze share;

-- A queue, which is empty again after each turn.
alter table webhook_event set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
