-- +goose Up
-- Where the programs of agencies want to be told, and what they are still to be told.

-- shard: agency_id
create table agency_hooks (
    agency_id bigint not null,
    body      bytea  not null,
    primary key (agency_id)
);

-- due is when a call is tried next. What was delivered, or given up, is deleted.
-- shard: agency_id
create table agency_calls (
    agency_id bigint not null,
    call_id   bigint not null,
    due       bigint not null,
    tries     bigint not null,
    created   bigint not null,
    body      bytea  not null,
    primary key (agency_id, call_id)
);
create index agency_calls_due on agency_calls (due, call_id);

-- +goose Down
drop table agency_calls;
drop table agency_hooks;
