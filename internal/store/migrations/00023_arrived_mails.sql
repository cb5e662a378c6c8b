-- +goose Up
-- Mails that came in at the service's addresses.

-- message stands for the Message-ID. sealed is who sent it. due is when its sender is told next, 0
-- for never.
-- shard: agency_id
create table arrived_mails (
    agency_id bigint not null,
    mail_id   bigint not null,
    message   bigint not null,
    at        bigint not null,
    door      text   not null,
    outcome   text   not null,
    digest    text   not null,
    size      bigint not null,
    due       bigint not null,
    tries     bigint not null,
    sealed    bytea  not null,
    body      bytea  not null,
    primary key (agency_id, mail_id)
);
create index arrived_mails_message on arrived_mails (agency_id, message, at);
create index arrived_mails_due on arrived_mails (due, mail_id) where due > 0;
create index arrived_mails_at on arrived_mails (at, mail_id);

-- +goose Down
select 1;
