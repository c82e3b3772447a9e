-- Who ended a file before its time, or what for: what its shares tell those who ask for them later.

alter table file add column ended_for text check (ended_for in ('owner', 'administrator', 'copyright'));
