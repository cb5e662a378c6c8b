-- Mails and letters are not kept for good.

-- +goose Up
-- look is when it is looked next whether the keeping of it is over, in Unix seconds.
alter table arrived_mails add column look bigint not null default 0;
create index arrived_mails_look on arrived_mails (look, mail_id);
alter table inquiries add column look bigint not null default 0;
create index inquiries_look on inquiries (agency_id, look, inquiry_id);

-- +goose Down
select 1;
