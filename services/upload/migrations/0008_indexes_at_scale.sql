-- What a database of millions of rows needs.

-- Deleting a file sets its sessions' `file_id` to null, and has to find them.
create index upload_session_file on upload_session (file_id) where file_id is not null;
-- For counting a mirror's replicas by state, and for all that changes with their mirror.
create index replica_mirror on replica (mirror_id, state);
create index replica_error on replica (mirror_id) where error is not null;
-- Blobs without references, and those that are being removed.
drop index blob_garbage;
create index blob_garbage on blob (unreferenced_at) where refs = 0 and state = 'ready';
create index blob_condemned on blob (id) where state = 'removing';
-- For counting the fetches that run, and for finding those that may have left something.
create index fetch_job_claimed on fetch_job (lease_until) where lease_until is not null;
create index fetch_job_abandoned on fetch_job (changed_at) where state in ('failed', 'canceled') and session_id is not null;

-- A sweep changes the state of many rows at once. PostgreSQL would go on to believe that no row is in the new state, and
-- take the partial index on that state for the shortest way to a row whose id is given. Without statistics of the states
-- it takes the primary key. Naming the type again is what forgets those that there are.
alter table blob alter column state type text, alter column state set statistics 0;
alter table upload_session alter column state type text, alter column state set statistics 0;
alter table replica alter column state type text, alter column state set statistics 0;
alter table fetch_job alter column state type text, alter column state set statistics 0;

-- Sweeps empty these tables as fast as they fill. The default waits until a fifth of a table is dead: 200,000 rows of a
-- million, through which the next sweep's index scans have to step. A fiftieth is vacuumed in seconds.
alter table blob set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table file set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table upload_session set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table part set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table replica set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table fetch_job set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
