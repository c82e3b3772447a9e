-- Rooms, messages and inboxes belong to accounts too: what is erased of an account is erased in chat as well.

alter table erasure drop constraint erasure_service_check;
alter table erasure add constraint erasure_service_check check (service in ('share', 'upload', 'chat'));
