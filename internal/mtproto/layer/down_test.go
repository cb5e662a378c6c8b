package layer

import (
	"bytes"
	"errors"
	"testing"
)

var oneUser = m{"_": "peerUser", "user_id": 7}

// message is a message of today with more fields.
func message(more m) m {
	out := m{"_": "message", "id": 1, "peer_id": oneUser, "date": 1700000000, "message": "hello"}
	for k, v := range more {
		out[k] = v
	}
	return out
}

// TestSharedBit: in layer 163 the flag recurring and the terms hang on one bit, which must not be
// set without the terms.
func TestSharedBit(t *testing.T) {
	b := newBench(t)
	invoice := m{"_": "invoice", "recurring": true, "currency": "EUR", "prices": []any{}}
	got := b.down(163, invoice)
	is(t, "recurring without terms", got, m{"_": "invoice", "currency": "EUR", "prices": []any{}})
	invoice["terms_url"] = "https://example.org"
	got = b.down(163, invoice)
	is(t, "recurring with terms", got, m{"_": "invoice", "currency": "EUR", "prices": []any{},
		"recurring": true, "recurring_terms_url": "https://example.org"})
	delete(invoice, "recurring")
	got = b.down(163, invoice)
	is(t, "terms alone", got, m{"_": "invoice", "currency": "EUR", "prices": []any{}})
}

// TestBoolAndFlag: what is a flag today was a Bool, required or optional, and the other way round.
func TestBoolAndFlag(t *testing.T) {
	b := newBench(t)
	for _, v := range []bool{true, false} {
		update := m{"_": "updatePeerBlocked", "peer_id": oneUser}
		settings := m{"_": "globalPrivacySettings"}
		if v {
			update["blocked"] = true
			settings["archive_and_mute_new_noncontact_peers"] = true
		}
		is(t, "required", b.down(158, update)["blocked"], v)
		is(t, "optional", b.down(158, settings)["archive_and_mute_new_noncontact_peers"], v)

		toggle := b.up(185, m{"_": "channels.toggleSignatures", "enabled": v,
			"channel": m{"_": "inputChannelEmpty"}})
		is(t, "request", toggle["signatures_enabled"] != nil, v)
		set := b.up(158, m{"_": "account.setGlobalPrivacySettings", "settings": m{
			"_": "globalPrivacySettings", "archive_and_mute_new_noncontact_peers": v,
		}})["settings"].(m)
		is(t, "optional in a request", set["archive_and_mute_new_noncontact_peers"] != nil, v)
	}
}

// TestKnownButInexpressible: the action is known to layer 198, but a part that it requires is not;
// the message must stay for its pts.
func TestKnownButInexpressible(t *testing.T) {
	b := newBench(t)
	for _, action := range []m{
		{"_": "messageActionInviteToGroupCall", "users": []any{7},
			"call": m{"_": "inputGroupCallSlug", "slug": "x"}},
		{"_": "messageActionSetChatTheme", "theme": m{"_": "chatThemeUniqueGift",
			"gift": m{"_": "starGift", "id": 1, "sticker": m{"_": "documentEmpty", "id": 1},
				"stars": 1, "convert_stars": 1}, "theme_settings": []any{}}},
	} {
		got := b.down(198, m{"_": "updateNewMessage", "pts": 9, "pts_count": 1,
			"message": m{"_": "messageService", "id": 3, "peer_id": oneUser, "date": 1,
				"action": action}})
		is(t, "pts", got["pts"], 9)
		is(t, "action", got["message"].(m)["action"].(m)["_"], "messageActionCustomAction")
	}
}

// TestMessageDown follows the parts of a message that changed most.
func TestMessageDown(t *testing.T) {
	b := newBench(t)
	todo := m{"_": "messageMediaToDo", "todo": m{"_": "todoList", "title": plain("t"),
		"list": []any{}}}
	poll := m{"_": "messageMediaPoll", "poll": m{"_": "poll", "id": 9, "question": plain("why?"),
		"answers": []any{m{"_": "pollAnswer", "text": plain("so"), "option": "1"}}, "hash": 5},
		"results": m{"_": "pollResults", "results": []any{
			m{"_": "pollAnswerVoters", "option": "1"}}}}
	for _, layer := range []int{144, 152, 198} {
		got := b.down(layer, message(m{"media": todo}))
		is(t, "todo", got["media"], m{"_": "messageMediaUnsupported"})

		got = b.down(layer, message(m{"media": poll}))["media"].(m)
		question, answer := any("why?"), any("so")
		if layer == 198 {
			question, answer = plain("why?"), plain("so")
		}
		is(t, "question", got["poll"].(m)["question"], question)
		is(t, "answer", got["poll"].(m)["answers"].([]any)[0].(m)["text"], answer)
		is(t, "voters", got["results"].(m)["results"].([]any)[0].(m)["voters"], 0)

		got = b.down(layer, message(m{"entities": []any{
			m{"_": "messageEntityBold", "offset": 0, "length": 2},
			m{"_": "messageEntityFormattedDate", "offset": 0, "length": 2, "date": 1},
		}}))
		is(t, "entities", len(got["entities"].([]any)), 1)

		got = b.down(layer, message(m{"reply_to": m{"_": "messageReplyHeader",
			"reply_to_msg_id": 11, "todo_item_id": 2}}))
		is(t, "reply", got["reply_to"], m{"_": "messageReplyHeader", "reply_to_msg_id": 11})
	}
	story := m{"_": "messageReplyStoryHeader", "peer": oneUser, "story_id": 1}
	is(t, "reply to a story", b.down(152, message(m{"reply_to": story}))["reply_to"], nil)
	is(t, "reply to a story", b.down(160, message(m{"reply_to": story}))["reply_to"],
		m{"_": "messageReplyStoryHeader", "user_id": 7, "story_id": 1})
	video := m{"_": "documentAttributeVideo", "duration": 12.6, "w": 1, "h": 2}
	is(t, "duration", b.down(152, video)["duration"], 13)
	is(t, "duration", b.down(160, video)["duration"], 12.6)
}

// TestReactionsDown: layer 144 knew emoji only, and one own reaction.
func TestReactionsDown(t *testing.T) {
	b := newBench(t)
	got := b.down(144, m{"_": "messageReactions", "results": []any{
		m{"_": "reactionCount", "reaction": m{"_": "reactionEmoji", "emoticon": "x"},
			"count": 3, "chosen_order": 1},
		m{"_": "reactionCount", "reaction": m{"_": "reactionCustomEmoji", "document_id": 3},
			"count": 1},
	}})
	is(t, "results", got["results"], []any{
		m{"_": "reactionCount", "reaction": "x", "count": 3, "chosen": true}})
}

// TestResults: the methods whose result has another type in older layers.
func TestResults(t *testing.T) {
	b := newBench(t)
	updates := m{"_": "updatesTooLong"}
	for _, c := range []struct {
		layer    int
		now, old string
		in, want any
	}{
		{225, "channels.joinChannel", "", m{"_": "messages.chatInviteJoinResultOk",
			"updates": updates}, updates},
		{144, "messages.importChatInvite", "", m{"_": "messages.chatInviteJoinResultOk",
			"updates": updates}, updates},
		{152, "messages.createChat", "", m{"_": "messages.invitedUsers", "updates": updates,
			"missing_invitees": []any{}}, updates},
		{174, "messages.getDialogFilters", "", m{"_": "messages.dialogFilters",
			"filters": []any{m{"_": "dialogFilterDefault"}}},
			[]any{m{"_": "dialogFilterDefault"}}},
		{152, "help.getAppConfig", "", m{"_": "help.appConfig", "hash": 1,
			"config": m{"_": "jsonNull"}}, m{"_": "jsonNull"}},
		{187, "messages.report", "", m{"_": "reportResultReported"}, true},
		{187, "messages.report", "", m{"_": "reportResultChooseOption", "title": "",
			"options": []any{}}, false},
		{152, "messages.getMessageReadParticipants", "", []any{
			m{"_": "readParticipantDate", "user_id": 7, "date": 1}}, []any{7}},
		{144, "account.verifyEmail", "", m{"_": "account.emailVerified", "email": "a@b"}, true},
		{181, "messages.requestSimpleWebView", "", m{"_": "webViewResultUrl", "url": "u"},
			m{"_": "simpleWebViewResultUrl", "url": "u"}},
		{181, "messages.requestAppWebView", "", m{"_": "webViewResultUrl", "url": "u"},
			m{"_": "appWebViewResultUrl", "url": "u"}},
		{199, "users.getRequirementsToContact", "users.getIsPremiumRequiredToContact", []any{
			m{"_": "requirementToContactEmpty"}, m{"_": "requirementToContactPremium"},
		}, []any{false, true}},
		{216, "stories.getPeerMaxIDs", "", []any{m{"_": "recentStory", "max_id": 4},
			m{"_": "recentStory"}}, []any{4, 0}},
		{196, "messages.getWebPagePreview", "", m{"_": "messages.webPagePreview",
			"media": m{"_": "messageMediaEmpty"}, "chats": []any{}, "users": []any{}},
			m{"_": "messageMediaEmpty"}},
		{144, "messages.getStickers", "", m{"_": "messages.stickersNotModified"},
			m{"_": "messages.stickersNotModified"}},
		{144, "contacts.getContactIDs", "", []any{1, 2}, []any{1, 2}},
		{144, "account.checkUsername", "", true, true},
	} {
		if c.old == "" {
			c.old = c.now
		}
		is(t, c.now, b.result(c.layer, c.now, c.old, c.in), c.want)
	}
	join := b.book(Current).Find("channels.joinChannel").ID
	web := b.book(Current).Pack(m{"_": "messages.chatInviteJoinResultWebView", "bot_id": 1,
		"query_id": 1, "users": []any{}})
	if out, err := b.DownResult([]byte("x"), 198, join, web); !errors.Is(err, ErrDrop) ||
		string(out) != "x" {
		t.Errorf("what 198 cannot say: %q, %v", out, err)
	}
	start := b.book(Current).Find("phone.createConferenceCall").ID
	body := b.book(Current).Pack(updates)
	if _, err := b.DownResult(nil, 198, start, body); !errors.Is(err, ErrDrop) {
		t.Errorf("a result that nothing bridges: %v", err)
	}
	newer := b.book(Current).Find("messages.editFactCheck").ID
	if out, err := b.DownResult(nil, 144, newer, body); err != nil || !bytes.Equal(out, body) {
		t.Errorf("a method that the layer does not have: %x, %v", out, err)
	}
	var unknown *UnknownError
	if _, err := b.DownResult(nil, 198, 1, web); !errors.As(err, &unknown) || unknown.ID != 1 {
		t.Errorf("unknown method: %v", err)
	}
}

// TestAccountsDown: what old clients cannot start without.
func TestAccountsDown(t *testing.T) {
	b := newBench(t)
	got := b.down(144, m{"_": "config", "date": 1, "expires": 2, "test_mode": false, "this_dc": 2,
		"dc_options":         []any{m{"_": "dcOption", "id": 2, "ip_address": "::1", "port": 443}},
		"dc_txt_domain_name": "d", "chat_size_max": 1, "megagroup_size_max": 1,
		"forwarded_count_max": 1, "online_update_period_ms": 1, "offline_blur_timeout_ms": 1,
		"offline_idle_timeout_ms": 1, "online_cloud_timeout_ms": 1, "notify_cloud_delay_ms": 1,
		"notify_default_delay_ms": 1, "push_chat_period_ms": 1, "push_chat_limit": 1,
		"edit_time_limit": 1, "revoke_time_limit": 1, "revoke_pm_time_limit": 1,
		"rating_e_decay": 1, "stickers_recent_limit": 1, "channels_read_media_period": 1,
		"call_receive_timeout_ms": 1, "call_ring_timeout_ms": 1, "call_connect_timeout_ms": 1,
		"call_packet_timeout_ms": 1, "me_url_prefix": "m", "caption_length_max": 1,
		"message_length_max": 1, "webfile_dc_id": 1})
	for name, want := range map[string]any{"this_dc": 2, "saved_gifs_limit": 200,
		"stickers_faved_limit": 5, "pinned_dialogs_count_max": 5,
		"pinned_infolder_count_max": 100, "pfs_enabled": true, "phonecalls_enabled": nil} {
		is(t, name, got[name], want)
	}
	name := m{"_": "updateUserName", "user_id": 7, "first_name": "f", "last_name": "l",
		"usernames": []any{m{"_": "username", "username": "one"},
			m{"_": "username", "username": "two"}}}
	is(t, "username", b.down(144, name)["username"], "one")
	name["usernames"] = []any{}
	is(t, "no username", b.down(144, name)["username"], "")
	user := m{"_": "user", "id": 7, "stories_max_id": m{"_": "recentStory", "max_id": 3},
		"color":        m{"_": "peerColor", "color": 4, "background_emoji_id": 8},
		"emoji_status": m{"_": "emojiStatus", "document_id": 1, "until": 2}}
	got = b.down(198, user)
	is(t, "stories", got["stories_max_id"], 3)
	is(t, "status", got["emoji_status"], m{"_": "emojiStatus", "document_id": 1, "until": 2})
	got = b.down(166, user)
	is(t, "color", got["color"], 4)
	is(t, "background", got["background_emoji_id"], 8)
	is(t, "status", got["emoji_status"],
		m{"_": "emojiStatusUntil", "document_id": 1, "until": 2})
	user["stories_max_id"] = m{"_": "recentStory", "live": true}
	is(t, "no story", b.down(198, user)["stories_max_id"], nil)
	promo := m{"_": "help.promoData", "expires": 5, "pending_suggestions": []any{},
		"dismissed_suggestions": []any{}, "chats": []any{}, "users": []any{}}
	is(t, "promo", b.down(198, promo), m{"_": "help.promoDataEmpty", "expires": 5})
}
