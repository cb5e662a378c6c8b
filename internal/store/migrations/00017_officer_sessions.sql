-- +goose Up
-- A browser in which an officer is signed in. hash is the digest of the secret in its cookie, place
-- that of the network from which it came, proved when its holder last proved himself by his key.
-- shard: agency_id
create table officer_sessions (
    agency_id  bigint not null,
    officer_id bigint not null,
    hash       text   not null,
    binding    text   not null,
    place      text   not null,
    created    bigint not null,
    seen       bigint not null,
    proved     bigint not null,
    expires    bigint not null,
    primary key (agency_id, officer_id, hash)
);

-- From where an officer has signed in, since when and when last.
-- shard: agency_id
create table officer_places (
    agency_id  bigint not null,
    officer_id bigint not null,
    place      text   not null,
    first      bigint not null,
    last       bigint not null,
    primary key (agency_id, officer_id, place)
);

-- +goose Down
select 1;
