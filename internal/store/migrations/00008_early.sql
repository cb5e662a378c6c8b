-- +goose Up
-- Rows of other boxes' outboxes that overtook the copy of the message that they are about: they are
-- carried out when it comes. Those of copies that never come are forgotten after a while.
-- shard: box_id
create table early_tells (
    box_id   bigint not null,
    origin   bigint not null,
    nonce    bigint not null,
    tell_box bigint not null,
    tell_n   bigint not null,
    kind     bigint not null,
    body     bytea  not null,
    date     bigint not null,
    primary key (box_id, origin, nonce, tell_box, tell_n)
);

-- Deleted accounts that are still to be erased.
create index users_deleted on users (user_id) where flags & 1 <> 0 and flags & 64 = 0;

-- +goose Down
select 1;
