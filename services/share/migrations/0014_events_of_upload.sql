-- Events that the upload service tells of.

alter table webhook_event add column origin uuid;

comment on column webhook_event.origin is 'The id that the upload service gave the event; null: it happened here';

create unique index webhook_event_origin_index on webhook_event (origin, webhook_id) where origin is not null;
