-- Measures against hotlines are told by mail, and digests in bulk wait for two people.

-- +goose Up
-- tell is when to try next to mail the agency that the measure was taken, or how its complaint
-- ended, in Unix seconds; 0 when nothing is owed. tries is how often that failed.
alter table hotline_measures add column tell bigint not null default 0;
alter table hotline_measures add column tries bigint not null default 0;
create index hotline_measures_tell on hotline_measures (tell, measure_id) where tell > 0;
-- Of items, state 6 is one that waits until two people have let it through.
create index hotline_items_held on hotline_items (submission_id, agency_id) where state = 6;

-- +goose Down
select 1;
