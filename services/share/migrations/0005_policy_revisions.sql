-- The policy as a whole changes from one revision to the next, so that of two administrators who save at once the second
-- is told, and every earlier one can still be read.

create table policy_revision (
    version    integer primary key check (version > 0),
    changes    jsonb not null,
    changed_by uuid,
    changed_at timestamptz not null default now()
);

comment on table policy_revision is 'Every version of what administrators changed; the newest stands over the defaults of the environment';
comment on column policy_revision.changes is 'All fields that differ from the environment, with their values';
comment on column policy_revision.changed_by is 'The administrator''s account; null: changed before accounts were noted';

insert into policy_revision (version, changes)
select 1, jsonb_object_agg(name, value) from policy having count(*) > 0;

drop table policy;
