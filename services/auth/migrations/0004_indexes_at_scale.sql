-- What a database of millions of rows needs.

-- There are few administrators, and their number is asked whenever an account ends.
create index account_administrator on account (id) where role = 'administrator';
-- The erasures of one service are due, whatever is due in the others.
drop index erasure_due;
create index erasure_due on erasure (service, due_at);

-- The sweep empties these tables as fast as they fill. The default waits until a fifth of a table is dead.
alter table session set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table known_address set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
