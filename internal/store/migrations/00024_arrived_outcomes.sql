-- +goose Up
-- Mails are listed by what became of them: those that wait for a person are few among all.
create index arrived_mails_outcome on arrived_mails (outcome, at, mail_id);

-- +goose Down
select 1;
