-- +goose Up
-- What the service restricts, by the subject's peer. item_id is a message or a photo, and author_id
-- who reacted; both are 0 where the kind needs none. A row stays when its restriction has ended, so
-- that a decision that is carried out again does nothing.
-- shard: peer_id
create table restrictions (
    peer_id     bigint not null,
    kind        bigint not null,
    item_id     bigint not null,
    author_id   bigint not null,
    decision_id bigint not null,
    measure     bigint not null,
    territory   text   not null,
    starts      bigint not null,
    ends        bigint not null,
    ended       bigint not null,
    detail      text   not null,
    primary key (peer_id, kind, item_id, author_id, decision_id, measure)
);
create index restrictions_due on restrictions (ends) where ended = 0 and ends > 0;

-- Messages that were taken away and can be put back, as they lay in their box.
-- shard: box_id
create table removed_messages (
    box_id     bigint not null,
    id         bigint not null,
    peer_id    bigint not null,
    from_id    bigint not null,
    date       bigint not null,
    edited     bigint not null,
    flags      bigint not null,
    origin     bigint not null,
    nonce      bigint not null,
    grouped_id bigint not null,
    reply_to   bigint not null,
    media_kind bigint not null,
    body       bytea  not null,
    primary key (box_id, id)
);
create unique index removed_messages_origin on removed_messages (box_id, origin, nonce);

-- shard: box_id
create table removed_reactions (
    box_id   bigint not null,
    id       bigint not null,
    user_id  bigint not null,
    reaction text   not null,
    date     bigint not null,
    primary key (box_id, id, user_id, reaction)
);

-- used tells whether the photo was the one shown.
-- shard: peer_id
create table removed_photos (
    peer_id  bigint not null,
    media_id bigint not null,
    date     bigint not null,
    used     bigint not null,
    primary key (peer_id, media_id)
);

-- +goose Down
select 1;
