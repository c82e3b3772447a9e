-- Webhooks for everybody's shares end with the rights of the administrator who had them called.

alter table webhook add column vouched_by uuid;

comment on column webhook.vouched_by is
    'Of one for everybody''s shares: the administrator who added or last changed it; null: added before this was recorded';
