-- The register of refusals is searched by words.

-- +goose Up
-- By which terms a line of the register is found, with its time. The register is held to all orders anew
-- when a service starts, which enters the terms of lines that were there before.
-- shard: agency_id
create table order_refusal_terms (
    agency_id bigint not null,
    order_id  bigint not null,
    term      text   not null,
    at        bigint not null,
    primary key (agency_id, order_id, term)
);
create index order_refusal_terms_term on order_refusal_terms (term, at, order_id);

-- +goose Down
select 1;
