-- +goose Up
-- Who works in the console, how they prove who they are, and what they looked at and did.

-- shard: name
create table staff_names (
    name     text   not null,
    staff_id bigint not null,
    primary key (name)
);

-- role is 0 until a second person has confirmed one.
-- shard: staff_id
create table staff (
    staff_id      bigint not null,
    name          text   not null,
    role          bigint not null,
    flags         bigint not null,
    created       bigint not null,
    password      text   not null,
    totp          bytea  not null,
    totp_step     bigint not null,
    enrol_hash    text   not null,
    enrol_expires bigint not null,
    primary key (staff_id)
);

-- shard: staff_id
create table staff_credentials (
    staff_id      bigint not null,
    credential_id text   not null,
    body          bytea  not null,
    created       bigint not null,
    used          bigint not null,
    primary key (staff_id, credential_id)
);

-- shard: staff_id
create table staff_sessions (
    staff_id bigint not null,
    hash     text   not null,
    binding  text   not null,
    created  bigint not null,
    seen     bigint not null,
    strong   bigint not null,
    expires  bigint not null,
    primary key (staff_id, hash)
);

-- Nobody proposes and confirms the same change, and nobody confirms his own. 0 is the operator at
-- the command line, -1 stands for a change that nobody has confirmed yet, -2 for a withdrawn one.
-- shard: staff_id
create table staff_role_changes (
    staff_id  bigint not null,
    change_id bigint not null,
    role      bigint not null,
    proposer  bigint not null,
    proposed  bigint not null,
    confirmer bigint not null,
    confirmed bigint not null,
    primary key (staff_id, change_id),
    check (confirmer < 0 or (confirmer <> proposer and confirmer <> staff_id))
);

-- Rows are only added; chain is the digest of the row and of the chain before it. staff_id 0 has
-- what was tried by nobody that we know.
-- shard: staff_id
create table staff_audit (
    staff_id   bigint not null,
    number     bigint not null,
    at         bigint not null,
    action     text   not null,
    outcome    text   not null,
    subject_id bigint not null,
    case_id    bigint not null,
    detail     text   not null,
    chain      bytea  not null,
    primary key (staff_id, number)
);

create index staff_audit_action on staff_audit (staff_id, action, at);

-- How much a member of staff has seen in his shift, and since when he works without a break.
-- shard: staff_id
create table staff_shifts (
    staff_id   bigint not null,
    started    bigint not null,
    run        bigint not null,
    seen       bigint not null,
    cases      bigint not null,
    reveals    bigint not null,
    rest_until bigint not null,
    primary key (staff_id)
);
