-- Numbers of orders tell those of one agency apart and not those of two: an item's fence names the agency.

-- +goose Up
-- shard: subject_id
create table order_item_fences (
    subject_id bigint not null,
    agency_id  bigint not null,
    order_id   bigint not null,
    item       bigint not null,
    round      bigint not null,
    at         bigint not null,
    primary key (subject_id, agency_id, order_id, item, round)
);
insert into order_item_fences (subject_id, agency_id, order_id, item, round, at)
    select f.subject_id, o.agency_id, f.order_id, f.item, f.round, f.at
    from order_fences f join orders o on o.order_id = f.order_id;
drop table order_fences;

-- +goose Down
select 1;
