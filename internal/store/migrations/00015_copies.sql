-- +goose Up
-- The same uniqueness, in the order that also finds the copies of a message whose sender has
-- deleted his own row and with it all that says where they lie.
drop index messages_origin;
create unique index messages_origin on messages (origin, nonce, box_id);
drop index removed_messages_origin;
create unique index removed_messages_origin on removed_messages (origin, nonce, box_id);

-- +goose Down
select 1;
