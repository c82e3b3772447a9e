-- What a database of millions of rows needs.

-- For ending all shares of an account, and for the list of its links.
create index share_living_of_owner_index on share (owner, id) where owner is not null and state in ('active', 'spent');
create index share_links_of_owner_index on share (owner, created_at, id)
    where owner is not null and form = 'link' and state = 'active';

-- A sweep changes the state of many rows at once. PostgreSQL would go on to believe that no row is in the new state, and
-- take the partial index on that state for the shortest way to a row whose id is given. Without statistics of the states
-- it takes the primary key. Naming the type again is what forgets those that there are.
alter table share alter column state type text, alter column state set statistics 0;

-- Sweeps empty these tables as fast as they fill. The default waits until a fifth of a table is dead: 200,000 rows of a
-- million, through which the next sweep's index scans have to step. A fiftieth is vacuumed in seconds.
alter table share set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table lease set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
