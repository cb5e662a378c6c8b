-- +goose Up
-- Outcomes that changed are entered anew into the records of who reported.
drop index reports_uncounted;
create index reports_to_count on reports (report_id)
    where outcome > 0 and counted = 0 or counted < 0;

-- +goose Down
select 1;
