-- +goose Up
-- Mentions that nobody had looked at in posts that were taken away, so that they come back with them.
-- shard: user_id
create table removed_mentions (
    user_id bigint not null,
    peer_id bigint not null,
    id      bigint not null,
    primary key (user_id, peer_id, id)
);

-- +goose Down
select 1;
