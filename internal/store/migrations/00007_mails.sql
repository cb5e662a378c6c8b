-- +goose Up
-- What is owed by mail to people without an account, and what one notice named.

-- of_id is what the mail tells of: a decision, an appeal, a line of its dialogue; 0 for a receipt.
-- shard: subject_id
create table mails (
    subject_id bigint not null,
    report_id  bigint not null,
    kind       bigint not null,
    of_id      bigint not null,
    created    bigint not null,
    due        bigint not null,
    tries      bigint not null,
    sent       bigint not null,
    primary key (subject_id, report_id, kind, of_id)
);

create index mails_owed on mails (due, report_id) where sent = 0;

-- The reports of a notice that named several places, under the first of them.
-- shard: subject_id
create table notices (
    subject_id bigint not null,
    report_id  bigint not null,
    parts      bytea  not null,
    primary key (subject_id, report_id)
);
