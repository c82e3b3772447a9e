-- The filters of the audit log: each index has the entries of one value in the order of the log.

create index audit_entry_account_index on audit_entry (account_id, at, id);
create index audit_entry_name_index on audit_entry (left(lower(account_name), 200), at, id);
create index audit_entry_act_index on audit_entry (split_part(act, '.', 1), at, id);
create index audit_entry_target_index on audit_entry (target_id, at, id);
create index audit_entry_target_name_index on audit_entry (left(lower(target_name), 200), at, id);
create index audit_entry_address_index on audit_entry (address, at, id);
