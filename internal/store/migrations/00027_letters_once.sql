-- A letter that is sent twice is one letter, and the bell that it rings is owed until it rang.

-- +goose Up
-- once tells a sending from others: the same again is the same letter; null before.
-- ring is when somebody is to be woken for it, in Unix seconds; 0 when that is not owed.
alter table inquiry_askers add column once bytea;
alter table inquiry_askers add column ring bigint not null default 0;
create unique index inquiry_askers_once on inquiry_askers (agency_id, once);
create index inquiry_askers_ring on inquiry_askers (ring, inquiry_id) where ring > 0;

-- +goose Down
select 1;
