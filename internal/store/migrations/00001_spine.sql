-- +goose Up
-- Every table names its shard key first: one transaction touches rows of one key, plus the outbox
-- rows of the same key. "shard:" lines are read by the test that partitions the schema by that key.
-- Times are Unix seconds unless a column says otherwise. Booleans are bits of a flags column.

-- shard: name
create table meta (
    name  text   not null,
    value bigint not null,
    primary key (name)
);

-- shard: user_id
create table users (
    user_id    bigint not null,
    phone      text   not null,
    first_name text   not null,
    last_name  text   not null,
    username   text   not null,
    about      text   not null,
    photo_id   bigint not null,
    flags      bigint not null,
    created    bigint not null,
    seen       bigint not null,
    ttl_days   bigint not null,
    lang       text   not null,
    primary key (user_id)
);

-- shard: phone
create table phones (
    phone   text   not null,
    user_id bigint not null,
    primary key (phone)
);

-- shard: name
create table usernames (
    name    text   not null,
    peer_id bigint not null,
    primary key (name)
);

-- Words of names of people and public places, for contacts.search.
-- shard: term
create table name_terms (
    term    text   not null,
    peer_id bigint not null,
    primary key (term, peer_id)
);

-- shard: auth_key_id
create table auth_keys (
    auth_key_id bigint not null,
    sealed      bytea  not null,
    salt        bigint not null,
    dc          bigint not null,
    created     bigint not null,
    user_id     bigint not null,
    state       bigint not null,
    layer       bigint not null,
    api_id      bigint not null,
    device      text   not null,
    system      text   not null,
    app         text   not null,
    lang_pack   text   not null,
    lang        text   not null,
    system_lang text   not null,
    primary key (auth_key_id)
);

-- shard: user_id
create table authorizations (
    user_id     bigint not null,
    auth_key_id bigint not null,
    hash        bigint not null,
    created     bigint not null,
    active      bigint not null,
    api_id      bigint not null,
    device      text   not null,
    system      text   not null,
    app         text   not null,
    ip          text   not null,
    flags       bigint not null,
    parent      bigint not null,
    primary key (user_id, auth_key_id)
);

-- shard: hash
create table login_codes (
    hash        text   not null,
    phone       text   not null,
    code        text   not null,
    auth_key_id bigint not null,
    created     bigint not null,
    tries       bigint not null,
    flags       bigint not null,
    primary key (hash)
);

-- Tokens by which one device lets another in; only their digests are kept.
-- shard: hash
create table login_tokens (
    hash        text   not null,
    kind        bigint not null,
    auth_key_id bigint not null,
    user_id     bigint not null,
    created     bigint not null,
    except_ids  text   not null,
    primary key (hash)
);

-- Durable counters of attempts, by subject and time slot.
-- shard: subject
create table counters (
    subject text   not null,
    slot    bigint not null,
    n       bigint not null,
    primary key (subject, slot)
);

-- shard: hash
create table invitations (
    hash    text   not null,
    creator bigint not null,
    created bigint not null,
    expires bigint not null,
    uses    bigint not null,
    used    bigint not null,
    primary key (hash)
);

-- shard: user_id
create table passwords (
    user_id          bigint not null,
    salt1            bytea  not null,
    salt2            bytea  not null,
    verifier         bytea  not null,
    hint             text   not null,
    email            text   not null,
    pending_email    text   not null,
    pending_salt1    bytea  not null,
    pending_salt2    bytea  not null,
    pending_verifier bytea  not null,
    pending_hint     text   not null,
    changed          bigint not null,
    reset_after      bigint not null,
    primary key (user_id)
);

-- Small settings of a user by name: privacy rules, notify settings, content settings.
-- shard: user_id
create table settings (
    user_id bigint not null,
    name    text   not null,
    value   bytea  not null,
    primary key (user_id, name)
);

-- shard: user_id
create table contacts (
    user_id    bigint not null,
    contact_id bigint not null,
    phone      text   not null,
    first_name text   not null,
    last_name  text   not null,
    flags      bigint not null,
    created    bigint not null,
    primary key (user_id, contact_id)
);

-- shard: user_id
create table blocks (
    user_id bigint not null,
    peer_id bigint not null,
    created bigint not null,
    primary key (user_id, peer_id)
);

-- A box is what has a pts: a user's common box, or a channel's. event counts entries without a pts.
-- shard: box_id
create table boxes (
    box_id   bigint not null,
    pts      bigint not null,
    event    bigint not null,
    top_id   bigint not null,
    top_date bigint not null,
    messages bigint not null,
    outbox   bigint not null,
    primary key (box_id)
);

-- The log that getDifference and getChannelDifference answer from.
-- shard: box_id
create table updates (
    box_id    bigint not null,
    pts       bigint not null,
    sub       bigint not null,
    pts_count bigint not null,
    date      bigint not null,
    kind      bigint not null,
    body      bytea  not null,
    primary key (box_id, pts, sub)
);

-- (origin, nonce) is the sender and its random_id where the message was sent, and the sender's box
-- and message id in every copy: one index keeps sends exactly-once and finds the copies.
-- shard: box_id
create table messages (
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
create unique index messages_origin on messages (box_id, origin, nonce);
create index messages_peer on messages (box_id, peer_id, id) where box_id > 0;
create index messages_pinned on messages (box_id, peer_id, id) where flags & 64 <> 0;

-- Copies of messages that were deleted: an outbox row that is carried out again after a crash must
-- not bring them back. They are forgotten when no such row can be left.
-- shard: box_id
create table erased_messages (
    box_id bigint not null,
    origin bigint not null,
    nonce  bigint not null,
    date   bigint not null,
    primary key (box_id, origin, nonce)
);

-- How often a channel post was seen and forwarded; apart from the post, which never changes by it.
-- shard: box_id
create table message_views (
    box_id   bigint not null,
    id       bigint not null,
    views    bigint not null,
    forwards bigint not null,
    primary key (box_id, id)
);

-- shard: box_id
create table reactions (
    box_id   bigint not null,
    id       bigint not null,
    user_id  bigint not null,
    reaction text   not null,
    date     bigint not null,
    primary key (box_id, id, user_id, reaction)
);

-- What one box has to tell others, in order; consumers are idempotent.
-- shard: box_id
create table outbox (
    box_id bigint not null,
    n      bigint not null,
    target bigint not null,
    kind   bigint not null,
    body   bytea  not null,
    primary key (box_id, n)
);

-- One line of a user's chat list. For channels read_in and read_out are watermarks and unread is
-- computed; for the common box unread is kept here.
-- shard: user_id
create table dialogs (
    user_id   bigint not null,
    peer_id   bigint not null,
    top_id    bigint not null,
    top_date  bigint not null,
    read_in   bigint not null,
    read_out  bigint not null,
    unread    bigint not null,
    messages  bigint not null,
    mentions  bigint not null,
    reactions bigint not null,
    min_id    bigint not null,
    pin       bigint not null,
    folder    bigint not null,
    flags     bigint not null,
    draft     bytea  not null,
    primary key (user_id, peer_id)
);
create index dialogs_by_date on dialogs (user_id, folder, top_date);

-- shard: user_id
create table mentions (
    user_id bigint not null,
    peer_id bigint not null,
    id      bigint not null,
    primary key (user_id, peer_id, id)
);

-- Basic groups and channels: what an admin sets. settings is opaque to the store.
-- shard: peer_id
create table chats (
    peer_id       bigint not null,
    title         text   not null,
    about         text   not null,
    username      text   not null,
    creator       bigint not null,
    created       bigint not null,
    photo_id      bigint not null,
    flags         bigint not null,
    banned_rights bigint not null,
    members       bigint not null,
    version       bigint not null,
    linked_id     bigint not null,
    slow_seconds  bigint not null,
    settings      bytea  not null,
    primary key (peer_id)
);

-- shard: peer_id
create table members (
    peer_id bigint not null,
    user_id bigint not null,
    role    bigint not null,
    rights  bigint not null,
    until   bigint not null,
    actor   bigint not null,
    date    bigint not null,
    rank    text   not null,
    invite  text   not null,
    primary key (peer_id, user_id)
);
create index members_by_role on members (peer_id, role, user_id);
create index members_by_date on members (peer_id, date);
create index members_by_invite on members (peer_id, invite, date) where invite <> '';

-- Invite links of a chat; invite_hashes finds the chat of a hash.
-- shard: peer_id
create table invites (
    peer_id bigint not null,
    hash    text   not null,
    creator bigint not null,
    date    bigint not null,
    expires bigint not null,
    uses    bigint not null,
    used    bigint not null,
    flags   bigint not null,
    title   text   not null,
    primary key (peer_id, hash)
);

-- shard: hash
create table invite_hashes (
    hash    text   not null,
    peer_id bigint not null,
    primary key (hash)
);

-- shard: peer_id
create table join_requests (
    peer_id bigint not null,
    user_id bigint not null,
    hash    text   not null,
    date    bigint not null,
    primary key (peer_id, user_id)
);

-- What admins did in a channel, for channels.getAdminLog.
-- shard: peer_id
create table admin_events (
    peer_id bigint not null,
    id      bigint not null,
    user_id bigint not null,
    date    bigint not null,
    kind    bigint not null,
    body    bytea  not null,
    primary key (peer_id, id)
);

-- shard: media_id
create table media (
    media_id bigint not null,
    kind     bigint not null,
    owner    bigint not null,
    date     bigint not null,
    size     bigint not null,
    digest   bytea  not null,
    mime     text   not null,
    body     bytea  not null,
    primary key (media_id)
);

-- Photos that a user or chat has had as its profile photo, newest last.
-- shard: peer_id
create table profile_photos (
    peer_id  bigint not null,
    media_id bigint not null,
    date     bigint not null,
    primary key (peer_id, media_id)
);

-- Which messages of a channel have which terms. It can be built anew at any time.
-- shard: box_id
create table message_terms (
    box_id bigint not null,
    term   text   not null,
    id     bigint not null,
    primary key (box_id, term, id)
);

-- Up to which message, and up to which pts with its edits, a channel is in message_terms, and by
-- which version of the terms.
-- shard: box_id
create table search_marks (
    box_id   bigint not null,
    id       bigint not null,
    pts      bigint not null,
    pipeline text   not null,
    primary key (box_id)
);

-- Where an import stands: message of the export -> message here.
-- shard: peer_id
create table imports (
    peer_id bigint not null,
    source  text   not null,
    item    bigint not null,
    id      bigint not null,
    primary key (peer_id, source, item)
);

-- +goose Down
select 1;
