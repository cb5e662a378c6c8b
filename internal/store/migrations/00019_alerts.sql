-- +goose Up
-- The emergency line: what wakes somebody, and who was called.

-- The id follows from key, so that the same emergency rings once. states: 1 ringing, 2 acknowledged.
-- round is how many times somebody was called, next_at when the next level is, 0 for never.
-- shard: alert_id
create table alerts (
    alert_id bigint not null,
    key      text   not null,
    kind     text   not null,
    state    bigint not null,
    round    bigint not null,
    next_at  bigint not null,
    created  bigint not null,
    acked    bigint not null,
    acked_by text   not null,
    via      text   not null,
    body     bytea  not null,
    primary key (alert_id)
);
create index alerts_next on alerts (next_at, alert_id) where next_at > 0;

-- One call of one person on one way. states: 1 owed, 2 made, 3 failed, 4 not needed any more. what: 1
-- wakes, 2 tells that somebody has it.
-- shard: alert_id
create table alert_calls (
    alert_id bigint not null,
    n        bigint not null,
    round    bigint not null,
    what     bigint not null,
    person   text   not null,
    way      text   not null,
    state    bigint not null,
    due      bigint not null,
    tries    bigint not null,
    ended    bigint not null,
    reason   text   not null,
    primary key (alert_id, n)
);
create index alert_calls_due on alert_calls (due, alert_id, n) where state = 1;

-- +goose Down
select 1;
