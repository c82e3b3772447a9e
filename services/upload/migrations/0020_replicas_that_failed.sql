-- For finding those that are not yet due to be tried again. It has a file of its own, so that nobody who asks for a mirror
-- waits until it is built, and the old index goes last, so that replicas can be read until then.

create index replica_failed on replica (mirror_id, due_at) where error is not null;
drop index replica_error;
alter index replica_failed rename to replica_error;
