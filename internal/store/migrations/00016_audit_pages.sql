-- +goose Up
-- The audit is read page by page, over all staff and by what was done.
create index staff_audit_at on staff_audit (at, staff_id, number);
create index staff_audit_acts on staff_audit (action, at, staff_id, number);

-- +goose Down
select 1;
