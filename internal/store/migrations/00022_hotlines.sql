-- +goose Up
-- What hotlines and trusted flaggers report, what became of each thing, and how their word has held.
-- All of it lies with the agency.

-- reference is the agency's own, digest that of what it sent.
-- shard: agency_id
create table hotline_submissions (
    agency_id     bigint not null,
    submission_id bigint not null,
    reference     text   not null,
    digest        text   not null,
    officer       bigint not null,
    at            bigint not null,
    items         bigint not null,
    primary key (agency_id, submission_id)
);
create unique index hotline_submissions_once on hotline_submissions (agency_id, reference);

-- One thing that was reported. kinds: 1 a place, 2 the digest of a file, 3 a place that has such a file,
-- whose digest is the item in part_of. states: 1 received, 2 with people, 3 decided, 4 looked for, 5
-- refused. notified is when the agency was told of the outcome, 0 for not yet, negative the time at
-- which a mail was begun that tells it, -1 when nobody is told.
-- shard: agency_id
create table hotline_items (
    agency_id     bigint not null,
    item_id       bigint not null,
    submission_id bigint not null,
    part_of       bigint not null,
    kind          bigint not null,
    state         bigint not null,
    category      text   not null,
    subject_id    bigint not null,
    report_id     bigint not null,
    created       bigint not null,
    decided       bigint not null,
    outcome       bigint not null,
    first_outcome bigint not null,
    decision_id   bigint not null,
    notified      bigint not null,
    body          bytea  not null,
    primary key (agency_id, item_id)
);
create index hotline_items_submission on hotline_items (agency_id, submission_id, item_id);
create index hotline_items_report on hotline_items (agency_id, report_id) where report_id > 0;
create index hotline_items_decided on hotline_items (agency_id, decided, item_id) where decided > 0;
create index hotline_items_untold on hotline_items (agency_id, notified, item_id)
    where state = 3 and notified <= 0 and notified <> -1;
create index hotline_items_received on hotline_items (item_id) where state = 1;

-- Warnings and suspensions for misuse, and what was answered to who complained. kinds: 1 warning, 2
-- suspension. appeal is 0 none, 1 open, 2 upheld, 3 reversed. Nobody decides about what he did himself.
-- shard: agency_id
create table hotline_measures (
    agency_id  bigint not null,
    measure_id bigint not null,
    kind       bigint not null,
    at         bigint not null,
    until      bigint not null,
    staff      bigint not null,
    appeal     bigint not null,
    reviewer   bigint not null,
    body       bytea  not null,
    primary key (agency_id, measure_id),
    check (staff > 0),
    check (reviewer = 0 or reviewer > 0 and reviewer <> staff),
    check (appeal < 2 or reviewer > 0)
);
create index hotline_measures_appeal on hotline_measures (measure_id) where appeal = 1;

-- Questions of regulators and what was said about them. states: 1 waits for the service, 2 for the
-- regulator, 3 closed. due is until when the service has to answer, alarmed when that was missed.
-- shard: agency_id
create table inquiries (
    agency_id  bigint not null,
    inquiry_id bigint not null,
    title      text   not null,
    state      bigint not null,
    opened     bigint not null,
    due        bigint not null,
    alarmed    bigint not null,
    lines      bigint not null,
    primary key (agency_id, inquiry_id)
);
create index inquiries_due on inquiries (due, inquiry_id) where state = 1;

-- Either staff or officer said it. What was said is never changed.
-- shard: agency_id
create table inquiry_lines (
    agency_id  bigint not null,
    inquiry_id bigint not null,
    n          bigint not null,
    at         bigint not null,
    staff      bigint not null,
    officer    bigint not null,
    body       bytea  not null,
    primary key (agency_id, inquiry_id, n),
    check (staff > 0 and officer = 0 or staff = 0)
);

-- +goose Down
select 1;
