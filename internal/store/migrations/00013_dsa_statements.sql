-- +goose Up
-- Statements of reasons that are owed to the EU's DSA Transparency Database: one row a decision,
-- written with it. What states mean is decided in safety/dsadb.

-- shard: subject_id
create table dsa_statements (
    subject_id  bigint not null,
    decision_id bigint not null,
    state       bigint not null,
    flags       bigint not null,
    created     bigint not null,
    due         bigint not null,
    tries       bigint not null,
    shown       bigint not null,
    settled     bigint not null,
    receipt     text   not null,
    problem     text   not null,
    primary key (subject_id, decision_id)
);

create index dsa_statements_state on dsa_statements (state, due, decision_id);
