-- +goose Up
-- The newest case about a subject is found without reading the others of its peer.
create index cases_about on cases (subject_id, kind, item, who, appeal, case_id);

-- +goose Down
select 1;
