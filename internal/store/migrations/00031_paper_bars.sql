-- Papers that nothing names are removed.

-- +goose Up
-- Papers that a server is about to remove, until a time in Unix seconds: whoever stores the same bytes
-- meanwhile cannot rely on them being there.
-- shard: digest
create table paper_bars (
    digest text   not null,
    until  bigint not null,
    primary key (digest)
);

-- +goose Down
select 1;
