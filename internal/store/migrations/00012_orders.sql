-- +goose Up
-- Authorities: who asks, what they ask for, and what came of it. Everything of an agency lies with the
-- agency, so that what is not its own does not exist for it. Agency 0 has what came from nobody known.

-- Names in their folded form, with the country before them.
-- shard: name
create table agency_names (
    name      text   not null,
    agency_id bigint not null,
    primary key (name)
);

-- states: 1 proposed, 2 checked, 3 active, 4 suspended, 5 closed. attest is until when its standing
-- has to be confirmed again. The checks hold whoever writes: nobody approves what he proposed.
-- shard: agency_id
create table agencies (
    agency_id   bigint not null,
    name        text   not null,
    country     text   not null,
    kind        bigint not null,
    state       bigint not null,
    lang        text   not null,
    proposed_by bigint not null,
    approved_by bigint not null,
    created     bigint not null,
    approved    bigint not null,
    attest      bigint not null,
    body        bytea  not null,
    primary key (agency_id),
    check (proposed_by > 0),
    check (approved_by = 0 or approved_by > 0 and approved_by <> proposed_by),
    check (state <> 3 or approved_by > 0 and approved > 0)
);
create index agencies_attest on agencies (attest) where state = 3;

-- states: 1 proposed, 2 enrolling, 3 active, 4 suspended. bound is since when he has a key.
-- shard: agency_id
create table officers (
    agency_id     bigint not null,
    officer_id    bigint not null,
    name          text   not null,
    role          bigint not null,
    state         bigint not null,
    proposed_by   bigint not null,
    approved_by   bigint not null,
    created       bigint not null,
    bound         bigint not null,
    attest        bigint not null,
    enrol_hash    text   not null,
    enrol_expires bigint not null,
    primary key (agency_id, officer_id),
    check (proposed_by > 0),
    check (approved_by = 0 or approved_by > 0 and approved_by <> proposed_by),
    check (state = 1 or state = 4 or approved_by > 0),
    check (state <> 3 or bound > 0)
);

-- shard: agency_id
create table officer_credentials (
    agency_id     bigint not null,
    officer_id    bigint not null,
    credential_id text   not null,
    body          bytea  not null,
    created       bigint not null,
    used          bigint not null,
    primary key (agency_id, credential_id)
);

-- Keys for programs. hash is the digest of the secret, revoked 0 while it is good.
-- shard: agency_id
create table agency_keys (
    agency_id bigint not null,
    key_id    bigint not null,
    label     text   not null,
    hash      text   not null,
    staff     bigint not null,
    created   bigint not null,
    expires   bigint not null,
    revoked   bigint not null,
    primary key (agency_id, key_id)
);

-- What happened to an agency and what its people did or were refused; only ever added to.
-- shard: agency_id
create table agency_events (
    agency_id bigint not null,
    n         bigint not null,
    at        bigint not null,
    staff     bigint not null,
    officer   bigint not null,
    kind      bigint not null,
    body      bytea  not null,
    primary key (agency_id, n)
);

-- due is until when it has to be answered, paused since when its clock stands, next_at when the clock
-- has to be looked at again; 0 for none. digest is that of the document as it came.
-- shard: agency_id
create table orders (
    agency_id  bigint not null,
    order_id   bigint not null,
    instrument text   not null,
    number     text   not null,
    digest     text   not null,
    state      bigint not null,
    country    text   not null,
    officer    bigint not null,
    received   bigint not null,
    due        bigint not null,
    paused     bigint not null,
    next_at    bigint not null,
    alarmed    bigint not null,
    breached   bigint not null,
    items      bigint not null,
    events     bigint not null,
    closed     bigint not null,
    body       bytea  not null,
    primary key (agency_id, order_id)
);
create unique index orders_once on orders (agency_id, number, digest);
create index orders_queue on orders (state, due, order_id) where closed = 0;
create index orders_next on orders (next_at, order_id) where next_at > 0;

-- One thing that an order names, what was made of it, and by which decision.
-- shard: agency_id
create table order_items (
    agency_id bigint not null,
    order_id  bigint not null,
    n         bigint not null,
    peer      bigint not null,
    kind      bigint not null,
    item      bigint not null,
    author    bigint not null,
    state     bigint not null,
    decision  bigint not null,
    hold      bigint not null,
    at        bigint not null,
    body      bytea  not null,
    primary key (agency_id, order_id, n)
);
create index order_items_decision on order_items (decision) where decision > 0;

-- shard: agency_id
create table order_events (
    agency_id bigint not null,
    order_id  bigint not null,
    n         bigint not null,
    at        bigint not null,
    staff     bigint not null,
    officer   bigint not null,
    kind      bigint not null,
    body      bytea  not null,
    primary key (agency_id, order_id, n)
);

-- Who signed what: digest is that of what would be carried out. A person counts once.
-- shard: agency_id
create table order_approvals (
    agency_id bigint not null,
    order_id  bigint not null,
    digest    text   not null,
    staff     bigint not null,
    role      text   not null,
    at        bigint not null,
    primary key (agency_id, order_id, digest, staff),
    check (staff > 0)
);

-- Signed papers to the agency, in order.
-- shard: agency_id
create table order_papers (
    agency_id bigint not null,
    order_id  bigint not null,
    n         bigint not null,
    kind      text   not null,
    at        bigint not null,
    fetched   bigint not null,
    body      bytea  not null,
    primary key (agency_id, order_id, n)
);

-- Documents that came with an order, by their SHA-256.
-- shard: agency_id
create table order_documents (
    agency_id bigint not null,
    order_id  bigint not null,
    digest    text   not null,
    name      text   not null,
    mime      text   not null,
    size      bigint not null,
    at        bigint not null,
    primary key (agency_id, order_id, digest)
);

-- +goose Down
select 1;
