-- +goose Up
-- Secret chats, as one of their two parties has them. auth_key_id is the party's own device, 0 while
-- none has taken a request. Of keys there are only the public numbers of the exchange.
-- shard: user_id
create table secret_chats (
    user_id     bigint not null,
    chat_id     bigint not null,
    peer_id     bigint not null,
    auth_key_id bigint not null,
    state       bigint not null,
    flags       bigint not null,
    date        bigint not null,
    changed     bigint not null,
    g_a         bytea  not null,
    g_b         bytea  not null,
    fingerprint bigint not null,
    read_max    bigint not null,
    read_date   bigint not null,
    primary key (user_id, chat_id)
);
create index secret_chats_changed on secret_chats (user_id, changed);
create index secret_chats_open on secret_chats (date) where state < 3;

-- How far a device's own sequence of secret messages has come, and what of it waits.
-- shard: user_id
create table secret_devices (
    user_id     bigint not null,
    auth_key_id bigint not null,
    qts         bigint not null,
    taken       bigint not null,
    waiting     bigint not null,
    bytes       bigint not null,
    primary key (user_id, auth_key_id)
);

-- Ciphertext that waits for the one device that it is for; it goes when that says that it has it.
-- shard: user_id
create table secret_queue (
    user_id     bigint not null,
    auth_key_id bigint not null,
    qts         bigint not null,
    chat_id     bigint not null,
    random_id   bigint not null,
    date        bigint not null,
    flags       bigint not null,
    file_id     bigint not null,
    body        bytea  not null,
    primary key (user_id, auth_key_id, qts)
);
create index secret_queue_date on secret_queue (date);

-- Which messages were sent (way 0) and came (way 1), so that each does so once.
-- shard: user_id
create table secret_sent (
    user_id   bigint not null,
    chat_id   bigint not null,
    way       bigint not null,
    random_id bigint not null,
    date      bigint not null,
    file_id   bigint not null,
    primary key (user_id, chat_id, way, random_id)
);

-- Encrypted files that a device may fetch. All rows of a file carry the date of its upload, run out
-- together, and its bytes with them. shut is not 0 once the device is gone.
-- shard: user_id
create table secret_files (
    user_id     bigint not null,
    file_id     bigint not null,
    auth_key_id bigint not null,
    size        bigint not null,
    fingerprint bigint not null,
    date        bigint not null,
    shut        bigint not null,
    digest      bytea  not null,
    primary key (user_id, file_id, auth_key_id)
);
create index secret_files_date on secret_files (date);

-- +goose Down
select 1;
