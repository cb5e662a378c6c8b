-- Orders whose text the public is to read, without what identifies people, and what became of that: a row
-- is written as the order ends, in its transaction. What the states mean is told by safety/order.

-- +goose Up
-- due is from when on somebody or the next step is waited for, in Unix seconds; staff and at are who decided
-- last, and when; text is what is published, why the reason of who decided that nothing is.
-- shard: agency_id
create table order_publications (
    agency_id bigint not null,
    order_id  bigint not null,
    state     bigint not null,
    due       bigint not null,
    staff     bigint not null,
    at        bigint not null,
    text      text   not null,
    why       text   not null,
    primary key (agency_id, order_id)
);
create index order_publications_due on order_publications (state, due, order_id);

-- +goose Down
select 1;
