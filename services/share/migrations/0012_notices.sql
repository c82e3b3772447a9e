-- Notices: webhooks whose URL is one of Apprise, which sends them as mail, to a chat, or to a phone.

alter table webhook
    add column kind   text not null default 'webhook' check (kind in ('webhook', 'notice')),
    add column sealed bytea,
    add constraint webhook_notice_is_sealed check ((kind = 'notice') = (sealed is not null));

comment on column webhook.kind is 'webhook: the URL is called. notice: Apprise sends a text to it';
comment on column webhook.url is 'The URL that is called; of a notice, which is a secret as a whole, the name of the service alone';
comment on column webhook.sealed is 'The URL of a notice, encrypted with a key of the service';
