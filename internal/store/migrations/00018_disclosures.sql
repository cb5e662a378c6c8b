-- +goose Up
-- Data that authorities were given, or would be. sealed is what would leave, readable to the server
-- alone and only until it is let go; package is what left or waits to be fetched, which the server
-- cannot read. states: 1 laid out, 2 released, 3 fetched, 4 dropped, 5 ran out.
-- The checks hold whoever writes: nobody releases what he laid out, nor in the same role.
-- shard: agency_id
create table disclosures (
    agency_id     bigint not null,
    order_id      bigint not null,
    disclosure_id bigint not null,
    state         bigint not null,
    plan          text   not null,
    content       text   not null,
    fingerprint   text   not null,
    prepared_by   bigint not null,
    prepared_role text   not null,
    prepared      bigint not null,
    released_by   bigint not null,
    released_role text   not null,
    released      bigint not null,
    officer       bigint not null,
    fetched       bigint not null,
    ends          bigint not null,
    digest        text   not null,
    size          bigint not null,
    people        bigint not null,
    sealed        bytea  not null,
    package       bytea  not null,
    primary key (agency_id, order_id, disclosure_id),
    check (prepared_by > 0 and prepared_role <> ''),
    check (released_by = 0 or released_by <> prepared_by and released_role <> prepared_role),
    check (state = 1 or state = 4 or released_by > 0 and released > 0),
    check (state <> 3 or officer > 0 and fetched > 0)
);
create index disclosures_ends on disclosures (ends, disclosure_id) where state < 3;

-- Who is told of a disclosure, and when. kind 1 is before anything leaves, 2 after. number is that
-- of the decision to hand data over for kind 1, of the disclosure for kind 2. told is 0 until then.
-- shard: agency_id
create table disclosure_tellings (
    agency_id bigint not null,
    order_id  bigint not null,
    kind      bigint not null,
    number    bigint not null,
    person    bigint not null,
    due       bigint not null,
    told      bigint not null,
    primary key (agency_id, order_id, kind, number, person)
);
create index disclosure_tellings_due on disclosure_tellings (due, order_id, person) where told = 0;

-- +goose Down
select 1;
