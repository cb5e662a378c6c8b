-- Letters of those who have no key: questions that no agency asked lie under agency 0.

-- +goose Up
-- Who asked, sealed. tell is when to try next to mail him that there is an answer, 0 when nothing
-- is owed; tries is how often that failed. Times are Unix seconds.
-- shard: agency_id
create table inquiry_askers (
    agency_id  bigint not null,
    inquiry_id bigint not null,
    sealed     bytea  not null,
    tell       bigint not null,
    tries      bigint not null,
    primary key (agency_id, inquiry_id)
);
create index inquiry_askers_tell on inquiry_askers (tell, inquiry_id) where tell > 0;

-- +goose Down
select 1;
