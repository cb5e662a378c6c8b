-- +goose Up
-- Reports, the cases that they join, and what was seen. All of a subject lies in its peer's shard;
-- subject_id 0 has what could not be found. Times are Unix seconds.

-- A subject has one open case, and one more for each decision complained about (appeal). who is
-- part of what the case is about only where an author is: whose reaction it is. rank is by what an
-- open case is taken, the lowest first. closed is 0 while the case is open.
-- shard: subject_id
create table cases (
    subject_id bigint not null,
    case_id    bigint not null,
    kind       bigint not null,
    item       bigint not null,
    who        bigint not null,
    author     bigint not null,
    appeal     bigint not null,
    lane       bigint not null,
    state      bigint not null,
    source     text   not null,
    category   text   not null,
    keyword    text   not null,
    opened     bigint not null,
    due        bigint not null,
    rank       bigint not null,
    reach      bigint not null,
    reports    bigint not null,
    weight     bigint not null,
    staff      bigint not null,
    lease      bigint not null,
    reviewer   bigint not null,
    alarmed    bigint not null,
    events     bigint not null,
    outcome    bigint not null,
    decision   bigint not null,
    closed     bigint not null,
    primary key (subject_id, case_id)
);
create unique index cases_open on cases (subject_id, kind, item, who, appeal) where closed = 0;
create index cases_queue on cases (lane, state, rank, case_id);
create index cases_staff on cases (staff, rank, case_id) where closed = 0;
create index cases_due on cases (due, case_id) where closed = 0 and alarmed = 0;
create index cases_lease on cases (lease, case_id) where lease > 0;
create index cases_author on cases (author, case_id);

-- What happened to a case, in order. Rows are never changed. staff and rule say who did it.
-- shard: subject_id
create table case_events (
    subject_id bigint not null,
    case_id    bigint not null,
    n          bigint not null,
    at         bigint not null,
    staff      bigint not null,
    rule       text   not null,
    kind       bigint not null,
    public     bigint not null,
    body       bytea  not null,
    primary key (subject_id, case_id, n)
);
create index case_events_staff on case_events (staff, at) where staff > 0;

-- Who reported is not here: reporter is a number that stands for him in his reports, and net,
-- device and joined stand for what several reporters may have in common.
-- shard: subject_id
create table reports (
    subject_id bigint not null,
    report_id  bigint not null,
    case_id    bigint not null,
    reporter   bigint not null,
    source     text   not null,
    category   text   not null,
    keyword    text   not null,
    note       text   not null,
    places     text   not null,
    lang       text   not null,
    flagger    bigint not null,
    at         bigint not null,
    weight     bigint not null,
    net        bigint not null,
    device     bigint not null,
    joined     bigint not null,
    outcome    bigint not null,
    decided    bigint not null,
    told       bigint not null,
    counted    bigint not null,
    primary key (subject_id, report_id)
);
create unique index reports_once on reports (subject_id, case_id, reporter) where reporter <> 0;
create index reports_case on reports (subject_id, case_id, report_id);
create index reports_net on reports (subject_id, case_id, net);
create index reports_device on reports (subject_id, case_id, device);
create index reports_joined on reports (subject_id, case_id, joined);
create index reports_untold on reports (report_id) where outcome > 0 and told = 0;
create index reports_uncounted on reports (report_id) where outcome > 0 and counted = 0;

-- Who reported, sealed. Nothing joins this table to evidence.
-- shard: subject_id
create table reporters (
    subject_id bigint not null,
    report_id  bigint not null,
    sealed     bytea  not null,
    primary key (subject_id, report_id)
);

-- How reports of an account ended, and what followed for it.
-- shard: user_id
create table reporter_outcomes (
    user_id   bigint not null,
    report_id bigint not null,
    at        bigint not null,
    outcome   bigint not null,
    primary key (user_id, report_id)
);

-- shard: user_id
create table reporter_standings (
    user_id bigint not null,
    stage   bigint not null,
    since   bigint not null,
    until   bigint not null,
    upheld  bigint not null,
    refuted bigint not null,
    told    bigint not null,
    primary key (user_id)
);
create index reporter_standings_untold on reporter_standings (user_id) where told = 0;

-- What was seen, captured before anything was removed. keep is until when a piece is kept at least,
-- 0 while its case is open.
-- shard: subject_id
create table evidence (
    subject_id  bigint not null,
    evidence_id bigint not null,
    case_id     bigint not null,
    kind        bigint not null,
    at          bigint not null,
    keep        bigint not null,
    digest      bytea  not null,
    body        bytea  not null,
    primary key (subject_id, evidence_id)
);
create index evidence_case on evidence (subject_id, case_id, evidence_id);
create index evidence_keep on evidence (keep) where keep > 0;

-- Why the evidence of a case must be kept longer than its own time. ends is 0 for no end.
-- shard: subject_id
create table holds (
    subject_id bigint not null,
    hold_id    bigint not null,
    case_id    bigint not null,
    staff      bigint not null,
    reason     text   not null,
    set_at     bigint not null,
    ends       bigint not null,
    lifted     bigint not null,
    primary key (subject_id, hold_id)
);
create index holds_case on holds (subject_id, case_id, hold_id);

-- What rules found, whether they acted or not.
-- shard: subject_id
create table findings (
    subject_id bigint not null,
    finding_id bigint not null,
    case_id    bigint not null,
    rule       text   not null,
    score      bigint not null,
    verdict    bigint not null,
    at         bigint not null,
    note       text   not null,
    primary key (subject_id, finding_id)
);
create index findings_rule on findings (rule, at);

-- +goose Down
select 1;
