package layer

import (
	"errors"
	"testing"
)

// TestKeyboards: buttons by constructor until 228, by type since.
func TestKeyboards(t *testing.T) {
	b := newBench(t)
	inline := func(kind m) m {
		return m{"_": "replyInlineMarkup", "rows": []any{m{"_": "keyboardInlineButtonRow",
			"buttons": []any{m{"_": "keyboardInlineButton", "text": "t", "type": kind}}}}}
	}
	reply := func(kind m) m {
		return m{"_": "replyKeyboardMarkup", "rows": []any{m{"_": "keyboardButtonRow",
			"buttons": []any{m{"_": "keyboardButton", "text": "t", "type": kind}}}}}
	}
	for _, c := range []struct {
		layer int
		in    m
		want  m
	}{
		{228, inline(m{"_": "inlineButtonTypeUrl", "url": "u"}),
			m{"_": "keyboardButtonUrl", "text": "t", "url": "u"}},
		{144, inline(m{"_": "inlineButtonTypeCallback", "data": "d", "requires_password": true}),
			m{"_": "keyboardButtonCallback", "text": "t", "data": "d", "requires_password": true}},
		{198, inline(m{"_": "inlineButtonTypeCopy", "copy_text": "c"}),
			m{"_": "keyboardButtonCopy", "text": "t", "copy_text": "c"}},
		{144, inline(m{"_": "inlineButtonTypeCopy", "copy_text": "c"}),
			m{"_": "keyboardButton", "text": "t"}},
		{227, inline(m{"_": "inlineButtonTypeDisabled"}), m{"_": "keyboardButton", "text": "t"}},
		{228, reply(m{"_": "buttonTypeDefault"}), m{"_": "keyboardButton", "text": "t"}},
		{144, reply(m{"_": "buttonTypeRequestPhone"}),
			m{"_": "keyboardButtonRequestPhone", "text": "t"}},
		{227, reply(m{"_": "buttonTypeRequestPoll", "quiz": true}),
			m{"_": "keyboardButtonRequestPoll", "text": "t", "quiz": true}},
	} {
		row := b.down(c.layer, c.in)["rows"].([]any)[0].(m)
		is(t, "row", row["_"], "keyboardButtonRow")
		is(t, "button", row["buttons"].([]any)[0], c.want)
	}

	send := func(layer int, markup string, buttons ...any) []any {
		markup1 := b.up(layer, m{"_": "messages.sendMessage", "peer": m{"_": "inputPeerSelf"},
			"message": "x", "random_id": 1, "reply_markup": m{"_": markup,
				"rows": []any{m{"_": "keyboardButtonRow", "buttons": buttons}}}})["reply_markup"]
		return markup1.(m)["rows"].([]any)[0].(m)["buttons"].([]any)
	}
	for _, layer := range []int{144, 198, 228} {
		is(t, "inline", send(layer, "replyInlineMarkup",
			m{"_": "keyboardButtonUrl", "text": "t", "url": "u"},
			m{"_": "keyboardButtonCallback", "text": "c", "data": "d"},
		), []any{
			m{"_": "keyboardInlineButton", "text": "t",
				"type": m{"_": "inlineButtonTypeUrl", "url": "u"}},
			m{"_": "keyboardInlineButton", "text": "c",
				"type": m{"_": "inlineButtonTypeCallback", "data": "d"}},
		})
		is(t, "reply", send(layer, "replyKeyboardMarkup",
			m{"_": "keyboardButton", "text": "t"},
			m{"_": "keyboardButtonRequestGeoLocation", "text": "g"},
		), []any{
			m{"_": "keyboardButton", "text": "t", "type": m{"_": "buttonTypeDefault"}},
			m{"_": "keyboardButton", "text": "g",
				"type": m{"_": "buttonTypeRequestGeoLocation"}},
		})
	}
}

// TestRequestsUp: requests of older layers as the server reads them.
func TestRequestsUp(t *testing.T) {
	b := newBench(t)
	me := m{"_": "inputPeerSelf"}
	for _, layer := range []int{144, 152, 158} {
		is(t, "reply", b.up(layer, m{"_": "messages.sendMessage", "peer": me, "message": "hi",
			"random_id": 3, "reply_to_msg_id": 17, "silent": true}),
			m{"_": "messages.sendMessage", "peer": me, "message": "hi", "random_id": 3,
				"silent": true, "reply_to": m{"_": "inputReplyToMessage", "reply_to_msg_id": 17}})
		is(t, "no reply", b.up(layer, m{"_": "messages.sendMessage", "peer": me, "message": "hi",
			"random_id": 3}),
			m{"_": "messages.sendMessage", "peer": me, "message": "hi", "random_id": 3})
	}
	is(t, "topic", b.up(158, m{"_": "messages.sendMessage", "peer": me, "message": "hi",
		"random_id": 3, "top_msg_id": 5})["reply_to"],
		m{"_": "inputReplyToMessage", "reply_to_msg_id": 5})
	is(t, "reply in a topic", b.up(158, m{"_": "messages.saveDraft", "peer": me, "message": "hi",
		"reply_to_msg_id": 6, "top_msg_id": 5})["reply_to"],
		m{"_": "inputReplyToMessage", "reply_to_msg_id": 6, "top_msg_id": 5})
	is(t, "reaction", b.up(144, m{"_": "messages.sendReaction", "peer": me, "msg_id": 4,
		"reaction": "x"})["reaction"], []any{m{"_": "reactionEmoji", "emoticon": "x"}})
	is(t, "no reaction", b.up(144, m{"_": "messages.sendReaction", "peer": me,
		"msg_id": 4})["reaction"], nil)
	is(t, "config", b.up(152, m{"_": "help.getAppConfig"}),
		m{"_": "help.getAppConfig", "hash": 0})
	is(t, "report", b.up(144, m{"_": "messages.report", "peer": me, "id": []any{1},
		"message": "bad", "reason": m{"_": "inputReportReasonViolence"}}),
		m{"_": "messages.report", "peer": me, "id": []any{1}, "message": "bad",
			"option": "inputReportReasonViolence"})
	is(t, "owner", b.up(198, m{"_": "channels.editCreator", "user_id": m{"_": "inputUserSelf"},
		"channel":  m{"_": "inputChannel", "channel_id": 9, "access_hash": 8},
		"password": m{"_": "inputCheckPasswordEmpty"}}),
		m{"_": "messages.editChatCreator", "user_id": m{"_": "inputUserSelf"},
			"peer":     m{"_": "inputPeerChannel", "channel_id": 9, "access_hash": 8},
			"password": m{"_": "inputCheckPasswordEmpty"}})
	is(t, "no theme", b.up(198, m{"_": "messages.setChatTheme", "peer": me,
		"emoticon": ""})["theme"], m{"_": "inputChatThemeEmpty"})
	is(t, "theme", b.up(198, m{"_": "messages.setChatTheme", "peer": me,
		"emoticon": "x"})["theme"], m{"_": "inputChatTheme", "emoticon": "x"})
	is(t, "folder", b.up(152, m{"_": "messages.updateDialogFilter", "id": 2, "filter": m{
		"_": "dialogFilter", "id": 2, "title": "Work", "pinned_peers": []any{},
		"include_peers": []any{me}, "exclude_peers": []any{}}})["filter"].(m)["title"],
		plain("Work"))
	is(t, "platform", b.up(144, m{"_": "messages.requestWebView", "peer": me,
		"bot": m{"_": "inputUserSelf"}})["platform"], "unknown")
	is(t, "color", b.up(198, m{"_": "account.updateColor", "background_emoji_id": 5}),
		m{"_": "account.updateColor", "color": m{"_": "peerColor", "background_emoji_id": 5}})
	is(t, "no color", b.up(198, m{"_": "account.updateColor", "for_profile": true}),
		m{"_": "account.updateColor", "for_profile": true})
	is(t, "translation", b.up(148, m{"_": "messages.translateText", "text": "x",
		"to_lang": "en"}), m{"_": "messages.translateText", "text": []any{plain("x")},
		"to_lang": "en"})
}

// TestPollUp: correct answers were named by their option and are named by their index.
func TestPollUp(t *testing.T) {
	b := newBench(t)
	poll := func(layer int, correct ...any) m {
		var question, one, two any = "q", "a", "b"
		if layer > 178 {
			question, one, two = plain("q"), plain("a"), plain("b")
		}
		return m{"_": "messages.sendMedia", "message": "", "random_id": 1,
			"peer": m{"_": "inputPeerSelf"}, "media": m{"_": "inputMediaPoll",
				"correct_answers": correct,
				"poll": m{"_": "poll", "id": 0, "question": question, "quiz": true,
					"answers": []any{m{"_": "pollAnswer", "text": one, "option": "0"},
						m{"_": "pollAnswer", "text": two, "option": "1"}}}}}
	}
	for _, layer := range []int{144, 198, 223} {
		media := b.up(layer, poll(layer, "1"))["media"].(m)
		is(t, "correct", media["correct_answers"], []any{1})
		is(t, "answers", media["poll"].(m)["answers"], []any{
			m{"_": "pollAnswer", "text": plain("a"), "option": "0"},
			m{"_": "pollAnswer", "text": plain("b"), "option": "1"}})
		is(t, "quiz", media["poll"].(m)["quiz"], true)
		if _, err := b.Up(b.book(layer).Pack(poll(layer, "7"))); !errors.Is(err, ErrDrop) {
			t.Errorf("layer %d: correct answer that is none: %v", layer, err)
		}
	}
}

// TestWrappersUp: wrappers are rewritten with what they wrap.
func TestWrappersUp(t *testing.T) {
	b := newBench(t)
	react := m{"_": "messages.sendReaction", "msg_id": 4, "reaction": "x",
		"peer": m{"_": "inputPeerSelf"}}
	got := b.up(144, m{"_": "invokeWithLayer", "layer": 144, "query": m{"_": "initConnection",
		"api_id": 1, "device_model": "d", "system_version": "s", "app_version": "a",
		"system_lang_code": "en", "lang_pack": "", "lang_code": "en", "query": react}})
	is(t, "layer", got["layer"], 144)
	is(t, "query", got["query"].(m)["query"], b.up(144, react))
}
