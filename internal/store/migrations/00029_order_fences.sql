-- +goose Up
-- Items of orders that somebody carries out, at 0, or that nothing may be done about any more because the
-- order was taken back or is over, since at (Unix seconds). Both write the row with the subject, in the
-- transaction in which they act, so that one of them waits for the other. round is how often the order had
-- been opened anew.
-- shard: subject_id
create table order_fences (
    subject_id bigint not null,
    order_id   bigint not null,
    item       bigint not null,
    round      bigint not null,
    at         bigint not null,
    primary key (subject_id, order_id, item, round)
);

-- +goose Down
select 1;
