-- Lists of files and fetches, and a search over the names of files, for administrators.

create extension if not exists pg_trgm;

create index file_by_creation on file (created_at, id);
create index file_by_size on file (size, id);
-- Parts of names are found by the groups of three characters that they consist of.
create index file_words on file using gin ((' ' || lower(name)) gin_trgm_ops);

create index fetch_job_by_creation on fetch_job (created_at, id);
create index fetch_job_by_state on fetch_job (state, created_at, id);
