-- +goose Up
-- Orders of which something is in force that a person has still to look at: the review beside a one-hour
-- order, or what a sender ordered who was suspended since. since is when that began, in Unix seconds.
-- shard: agency_id
create table order_reviews (
    agency_id bigint not null,
    order_id  bigint not null,
    since     bigint not null,
    primary key (agency_id, order_id)
);
create index order_reviews_since on order_reviews (since, order_id);

-- +goose Down
select 1;
