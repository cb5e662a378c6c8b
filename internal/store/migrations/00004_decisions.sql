-- +goose Up
-- What was decided about a subject, what is owed to people because of it, and what they answered.
-- The checks hold whoever writes: two persons where two are needed, another reviewer than the first,
-- and no decision without its reasons.

-- states: 1 proposed, 2 effective, 3 lifted, 4 expired, 5 superseded, 6 withdrawn, 7 no action.
-- flags: 1 needs two persons, 2 statement not owed, 4 sampled for review, 8 found by a machine.
-- shard: subject_id
create table decisions (
    subject_id   bigint not null,
    id           bigint not null,
    case_id      bigint not null,
    kind         bigint not null,
    item         bigint not null,
    author       bigint not null,
    state        bigint not null,
    flags        bigint not null,
    ground       text   not null,
    reference    text   not null,
    explanation  text   not null,
    facts        text   not null,
    category     text   not null,
    keywords     text   not null,
    measures     bytea  not null,
    automation   text   not null,
    source       text   not null,
    lang         text   not null,
    content_type text   not null,
    content_date bigint not null,
    by_staff     bigint not null,
    by_rule      text   not null,
    second_staff bigint not null,
    batch_id     bigint not null,
    reached      bigint not null,
    created      bigint not null,
    effective    bigint not null,
    ends         bigint not null,
    ended        bigint not null,
    ended_by     bigint not null,
    end_reason   text   not null,
    applied      bigint not null,
    restored     bigint not null,
    review       bigint not null,
    reviewer     bigint not null,
    primary key (subject_id, id),
    check (by_staff > 0 or by_rule <> ''),
    check (second_staff = 0 or second_staff <> by_staff),
    check (flags & 1 = 0 or state = 1 or state = 6 or second_staff > 0),
    check (explanation <> ''),
    check (state = 7 or ground <> '' and reference <> '' and facts <> '' and category <> ''),
    check (reviewer = 0 or reviewer <> by_staff and reviewer <> second_staff)
);
create index decisions_by_time on decisions (id);
create index decisions_by_author on decisions (author, id);
create index decisions_proposed on decisions (id) where state = 1;
create index decisions_ends on decisions (ends) where state = 2 and ends > 0;
create index decisions_batch on decisions (batch_id, id) where batch_id > 0;
create index decisions_sampled on decisions (id) where flags & 4 <> 0 and review = 0;

-- A mass measure: its decisions carry its id. states: 1 proposed, 2 approved, 3 done, 4 lifting,
-- 5 lifted, 6 withdrawn.
-- shard: batch_id
create table batches (
    batch_id     bigint not null,
    state        bigint not null,
    flags        bigint not null,
    by_staff     bigint not null,
    second_staff bigint not null,
    lifted_by    bigint not null,
    size         bigint not null,
    accounts     bigint not null,
    messages     bigint not null,
    members      bigint not null,
    created      bigint not null,
    reason       text   not null,
    primary key (batch_id),
    check (second_staff = 0 or second_staff <> by_staff),
    check (flags & 1 = 0 or state = 1 or state = 6 or second_staff > 0)
);
create index batches_open on batches (state) where state = 2 or state = 4;

-- What is owed to a person until it is delivered: a statement of reasons, an outcome, an answer.
-- shard: subject_id
create table letters (
    subject_id  bigint not null,
    id          bigint not null,
    kind        bigint not null,
    decision_id bigint not null,
    appeal_id   bigint not null,
    recipient   bigint not null,
    place       bigint not null,
    created     bigint not null,
    due         bigint not null,
    delivered   bigint not null,
    message_id  bigint not null,
    primary key (subject_id, id)
);
create index letters_owed on letters (due, id) where delivered = 0;
create index letters_decision on letters (subject_id, decision_id);

-- Complaints against decisions. report is that of a notifier whose notice led to nothing, zero for
-- whom the decision concerns. first and second are who decided before.
-- states: 1 open, 2 upheld, 3 partly reversed, 4 reversed, 5 withdrawn.
-- shard: subject_id
create table appeals (
    subject_id  bigint not null,
    id          bigint not null,
    decision_id bigint not null,
    report_id   bigint not null,
    person      bigint not null,
    state       bigint not null,
    lang        text   not null,
    first_by    bigint not null,
    second_by   bigint not null,
    assignee    bigint not null,
    reviewer    bigint not null,
    replaced_by bigint not null,
    created     bigint not null,
    decided     bigint not null,
    reason      text   not null,
    primary key (subject_id, id),
    check (reviewer = 0 or reviewer <> first_by and reviewer <> second_by),
    check (assignee = 0 or assignee <> first_by and assignee <> second_by),
    check (state = 1 or state = 5 or reviewer > 0 and reason <> '')
);
create unique index appeals_once on appeals (subject_id, decision_id, report_id);
create index appeals_by_time on appeals (id);
create index appeals_open on appeals (id) where state = 1;

-- What was said about an appeal; staff is zero for the person. origin keeps a message from coming in
-- twice.
-- shard: subject_id
create table appeal_messages (
    subject_id bigint not null,
    appeal_id  bigint not null,
    id         bigint not null,
    staff      bigint not null,
    origin     bigint not null,
    date       bigint not null,
    body       text   not null,
    primary key (subject_id, appeal_id, id)
);
create unique index appeal_messages_origin
    on appeal_messages (subject_id, appeal_id, origin) where origin > 0;

-- Out-of-court settlements of disputes about a decision.
-- shard: subject_id
create table settlements (
    subject_id  bigint not null,
    id          bigint not null,
    decision_id bigint not null,
    body        text   not null,
    opened      bigint not null,
    decided     bigint not null,
    result      bigint not null,
    implemented bigint not null,
    note        text   not null,
    recorded_by bigint not null,
    primary key (subject_id, id)
);
create index settlements_by_time on settlements (id);

-- Lines for the public log, in the order of their ids; entry is public, salt and record are not. logged is the
-- place in the log plus one.
-- shard: subject_id
create table ledger (
    subject_id bigint not null,
    id         bigint not null,
    kind       bigint not null,
    date       bigint not null,
    entry      bytea  not null,
    salt       bytea  not null,
    record     bytea  not null,
    logged     bigint not null,
    primary key (subject_id, id, kind)
);
create index ledger_pending on ledger (id, kind) where logged = 0;
create index ledger_place on ledger (logged) where logged > 0;

-- +goose Down
select 1;
