-- Webhooks for everybody's shares that were added before their administrator was recorded (0016) are those of the one who
-- last added or changed them by the audit log, and so end with that administrator's rights as well.
update webhook
set vouched_by = (
    select account_id from audit_entry
    where target_kind in ('webhook', 'notice') and target_id = webhook.id::text
    order by at desc, id desc
    limit 1
)
where owner = '00000000-0000-0000-0000-000000000000' and vouched_by is null;
