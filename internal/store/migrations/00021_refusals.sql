-- +goose Up
-- The register of refusals: every order that was refused, in rows of its own and in the transaction of the
-- refusal, so that years later it can be said what was refused to whom, and why. Rows are only ever added.
-- words are what the register is searched by, in their folded form.
-- shard: agency_id
create table order_refusals (
    agency_id  bigint not null,
    order_id   bigint not null,
    at         bigint not null,
    class      text   not null,
    country    text   not null,
    instrument text   not null,
    number     text   not null,
    authority  text   not null,
    words      text   not null,
    primary key (agency_id, order_id)
);
create index order_refusals_at on order_refusals (at, order_id);

-- What an agency waits for, by what is due next.
create index orders_open_of on orders (agency_id, due, order_id) where closed = 0;

-- +goose Down
select 1;
