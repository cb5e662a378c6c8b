-- +goose Up
-- What the law wants told to others without being asked: suspicions of crimes, reports on the abuse
-- of children. What kinds and states mean is decided in safety/duty.

-- shard: subject_id
create table duties (
    subject_id bigint not null,
    duty_id    bigint not null,
    kind       bigint not null,
    case_id    bigint not null,
    state      bigint not null,
    flags      bigint not null,
    by_staff   bigint not null,
    second     bigint not null,
    created    bigint not null,
    due        bigint not null,
    tries      bigint not null,
    settled    bigint not null,
    place      text   not null,
    receipt    text   not null,
    problem    text   not null,
    body       bytea  not null,
    primary key (subject_id, duty_id)
);

create index duties_state on duties (kind, state, due, duty_id);
create index duties_case on duties (subject_id, case_id, duty_id);
