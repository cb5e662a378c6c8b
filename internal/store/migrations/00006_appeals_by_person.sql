-- +goose Up
-- Complaints are found by who made them: what he writes to the service account belongs to one.
create index appeals_by_person on appeals (person, id) where person > 0;

-- +goose Down
select 1;
