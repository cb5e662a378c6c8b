package layer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"parley/internal/mtproto/layer/schema"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
)

// m is an object by the names of its fields; "_" is its constructor.
type m map[string]any

// pack encodes an object as a client of the layer does.
func (b *book) pack(t *testing.T, v m) []byte {
	t.Helper()
	name := v["_"].(string)
	d := b.byName["method "+name]
	if d == nil {
		d = b.byName[name]
	}
	if d == nil {
		t.Fatalf("layer %d has no %s", b.layer, name)
	}
	words := make(map[int]uint32)
	for name := range v {
		i := d.Field(name)
		if name != "_" && i < 0 {
			t.Fatalf("layer %d: %s has no %s", b.layer, d.Name, name)
		}
		if i >= 0 && d.Fields[i].Optional() {
			words[d.Fields[i].Word] |= 1 << d.Fields[i].Bit
		}
	}
	out := binary.LittleEndian.AppendUint32(nil, d.ID)
	for i, f := range d.Fields {
		switch {
		case f.Type.Kind == schema.Flags:
			out = binary.LittleEndian.AppendUint32(out, words[i])
		case f.Type.Kind == schema.Flag, v[f.Name] == nil && f.Optional():
		default:
			out = b.packValue(t, out, f, v[f.Name])
		}
	}
	return out
}

func (b *book) packValue(t *testing.T, out []byte, f schema.Field, v any) []byte {
	t.Helper()
	switch v := v.(type) {
	case m:
		return append(out, b.pack(t, v)...)
	case []any:
		out = binary.LittleEndian.AppendUint32(out, vectorID)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(v)))
		for _, elem := range v {
			out = b.packValue(t, out, schema.Field{Name: f.Name, Type: f.Type.Elem}, elem)
		}
		return out
	case string:
		return appendString(out, v)
	case bool:
		if v {
			return binary.LittleEndian.AppendUint32(out, boolTrueID)
		}
		return binary.LittleEndian.AppendUint32(out, boolFalseID)
	case float64:
		return binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
	case int:
		if f.Type.Kind == schema.Int {
			return binary.LittleEndian.AppendUint32(out, uint32(v))
		}
		return binary.LittleEndian.AppendUint64(out, uint64(v))
	default:
		t.Fatalf("field %s is %T", f.Name, v)
		return nil
	}
}

// unpack is what was read, in the form that pack takes.
func unpack(n *node, t *schema.Type) any {
	switch {
	case n.def != nil:
		out := m{"_": n.def.Name}
		for i, f := range n.def.Fields {
			switch {
			case f.Type.Kind == schema.Flags || n.fields[i] == nil:
			case f.Type.Kind == schema.Flag:
				out[f.Name] = true
			default:
				out[f.Name] = unpack(n.fields[i], f.Type)
			}
		}
		return out
	case n.elems != nil:
		out := []any{}
		for _, elem := range n.elems {
			out = append(out, unpack(elem, t.Elem))
		}
		return out
	}
	switch t.Kind {
	case schema.Bool:
		return binary.LittleEndian.Uint32([]byte(n.raw)) == boolTrueID
	case schema.Double:
		return math.Float64frombits(binary.LittleEndian.Uint64([]byte(n.raw)))
	case schema.Int:
		return int(int32(binary.LittleEndian.Uint32([]byte(n.raw))))
	case schema.Long:
		return int(binary.LittleEndian.Uint64([]byte(n.raw)))
	default:
		return n.raw
	}
}

// bench is what the tests of rules work with.
type bench struct {
	*Set
	t     *testing.T
	books map[int]*book
}

func newBench(t *testing.T) *bench {
	return &bench{Set: newSet(t), t: t, books: make(map[int]*book)}
}

func (b *bench) book(layer int) *book {
	if b.books[layer] == nil {
		b.books[layer] = newBook(layer, b.table.At(layer))
	}
	return b.books[layer]
}

// down is what a client of the layer reads of a value of today.
func (b *bench) down(layer int, v m) m {
	b.t.Helper()
	body := b.book(Current).pack(b.t, v)
	out, err := b.Down(nil, layer, body)
	if err != nil {
		b.t.Fatalf("layer %d: %v: %v", layer, v, err)
	}
	typ := b.book(Current).byName[v["_"].(string)].Result
	n, err := b.book(layer).readAll(out, typ)
	if err != nil {
		b.t.Fatalf("layer %d: %v", layer, err)
	}
	return unpack(n, typ).(m)
}

// result is what a client of the layer reads of the result of a method of today.
func (b *bench) result(layer int, method, oldMethod string, v any) any {
	b.t.Helper()
	now, old := b.book(Current).byName["method "+method], b.book(layer).byName["method "+oldMethod]
	body := b.book(Current).packValue(b.t, nil, schema.Field{Type: now.Result}, v)
	out, err := b.DownResult(nil, layer, now.ID, body)
	if err != nil {
		b.t.Fatalf("layer %d: %s: %v", layer, method, err)
	}
	n, err := b.book(layer).readAll(out, old.Result)
	if err != nil {
		b.t.Fatalf("layer %d: %s: %v", layer, method, err)
	}
	return unpack(n, old.Result)
}

// up is the request of a client of the layer as the server reads it.
func (b *bench) up(layer int, v m, into bin.Decoder) {
	b.t.Helper()
	out, err := b.Up(b.book(layer).pack(b.t, v))
	if err != nil {
		b.t.Fatalf("layer %d: %v: %v", layer, v, err)
	}
	buf := &bin.Buffer{Buf: out}
	if err := into.Decode(buf); err != nil {
		b.t.Fatalf("layer %d: %v: %v", layer, v["_"], err)
	}
	if buf.Len() != 0 {
		b.t.Fatalf("layer %d: %v: %d bytes too many", layer, v["_"], buf.Len())
	}
}

// is compares two values in the form of unpack.
func is(t *testing.T, what string, got, want any) {
	t.Helper()
	if !same(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func same(a, b any) bool {
	switch a := a.(type) {
	case m:
		b, ok := b.(m)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range a {
			if !same(a[k], b[k]) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !same(a[i], b[i]) {
				return false
			}
		}
		return true
	default:
		return a == b
	}
}

var (
	oneUser  = m{"_": "peerUser", "user_id": 7}
	oneGroup = m{"_": "peerChat", "chat_id": 5}
)

func plain(text string) m {
	return m{"_": "textWithEntities", "text": text, "entities": []any{}}
}

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

		var toggle tg.ChannelsToggleSignaturesRequest
		b.up(185, m{"_": "channels.toggleSignatures", "enabled": v,
			"channel": m{"_": "inputChannelEmpty"}}, &toggle)
		is(t, "request", toggle.SignaturesEnabled, v)
		var set tg.AccountSetGlobalPrivacySettingsRequest
		b.up(158, m{"_": "account.setGlobalPrivacySettings", "settings": m{
			"_": "globalPrivacySettings", "archive_and_mute_new_noncontact_peers": v,
		}}, &set)
		is(t, "optional in a request", set.Settings.ArchiveAndMuteNewNoncontactPeers, v)
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

	send := func(layer int, markup string, buttons ...any) tg.MessagesSendMessageRequest {
		var req tg.MessagesSendMessageRequest
		b.up(layer, m{"_": "messages.sendMessage", "peer": m{"_": "inputPeerSelf"},
			"message": "x", "random_id": 1, "reply_markup": m{"_": markup,
				"rows": []any{m{"_": "keyboardButtonRow", "buttons": buttons}}}}, &req)
		return req
	}
	for _, layer := range []int{144, 198, 228} {
		req := send(layer, "replyInlineMarkup",
			m{"_": "keyboardButtonUrl", "text": "t", "url": "u"},
			m{"_": "keyboardButtonCallback", "text": "c", "data": "d"})
		row := req.ReplyMarkup.(*tg.ReplyInlineMarkup).Rows[0].Buttons
		is(t, "url", row[0].Type.(*tg.InlineButtonTypeURL).URL, "u")
		is(t, "text", row[1].Text, "c")
		is(t, "data", string(row[1].Type.(*tg.InlineButtonTypeCallback).Data), "d")
		req = send(layer, "replyKeyboardMarkup",
			m{"_": "keyboardButton", "text": "t"},
			m{"_": "keyboardButtonRequestGeoLocation", "text": "g"})
		keys := req.ReplyMarkup.(*tg.ReplyKeyboardMarkup).Rows[0].Buttons
		if _, ok := keys[0].Type.(*tg.ButtonTypeDefault); !ok {
			t.Errorf("layer %d: button is %T", layer, keys[0].Type)
		}
		if _, ok := keys[1].Type.(*tg.ButtonTypeRequestGeoLocation); !ok {
			t.Errorf("layer %d: button is %T", layer, keys[1].Type)
		}
	}
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
	join := b.book(Current).byName["method channels.joinChannel"].ID
	web := b.book(Current).pack(t, m{"_": "messages.chatInviteJoinResultWebView", "bot_id": 1,
		"query_id": 1, "users": []any{}})
	if out, err := b.DownResult([]byte("x"), 198, join, web); !errors.Is(err, ErrDrop) ||
		string(out) != "x" {
		t.Errorf("what 198 cannot say: %q, %v", out, err)
	}
	var unknown *UnknownError
	if _, err := b.DownResult(nil, 198, 1, web); !errors.As(err, &unknown) || unknown.ID != 1 {
		t.Errorf("unknown method: %v", err)
	}
}

// TestAccountsDown: what old clients cannot start without.
func TestAccountsDown(t *testing.T) {
	b := newBench(t)
	config := &tg.Config{ThisDC: 2, DCTxtDomainName: "d", MeURLPrefix: "m",
		DCOptions: []tg.DCOption{{ID: 2, IPAddress: "127.0.0.1", Port: 443}}}
	out, err := b.Down(nil, 144, encode(t, config))
	if err != nil {
		t.Fatal(err)
	}
	typ := b.book(144).byName["config"].Result
	n, err := b.book(144).readAll(out, typ)
	if err != nil {
		t.Fatal(err)
	}
	got := unpack(n, typ).(m)
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

// TestRequestsUp: requests of older layers as the server reads them.
func TestRequestsUp(t *testing.T) {
	b := newBench(t)
	me := m{"_": "inputPeerSelf"}
	for _, layer := range []int{144, 152, 158} {
		var send tg.MessagesSendMessageRequest
		b.up(layer, m{"_": "messages.sendMessage", "peer": me, "message": "hi", "random_id": 3,
			"reply_to_msg_id": 17, "silent": true}, &send)
		is(t, "message", send.Message, "hi")
		is(t, "silent", send.Silent, true)
		is(t, "reply", send.ReplyTo.(*tg.InputReplyToMessage).ReplyToMsgID, 17)
		var bare tg.MessagesSendMessageRequest
		b.up(layer, m{"_": "messages.sendMessage", "peer": me, "message": "hi",
			"random_id": 3}, &bare)
		is(t, "no reply", bare.ReplyTo == nil, true)
	}
	var send tg.MessagesSendMessageRequest
	b.up(158, m{"_": "messages.sendMessage", "peer": me, "message": "hi", "random_id": 3,
		"top_msg_id": 5}, &send)
	is(t, "topic", send.ReplyTo.(*tg.InputReplyToMessage).ReplyToMsgID, 5)

	var react tg.MessagesSendReactionRequest
	b.up(144, m{"_": "messages.sendReaction", "peer": me, "msg_id": 4, "reaction": "x"}, &react)
	is(t, "reaction", react.Reaction[0].(*tg.ReactionEmoji).Emoticon, "x")
	var config tg.HelpGetAppConfigRequest
	b.up(152, m{"_": "help.getAppConfig"}, &config)
	is(t, "hash", config.Hash, 0)
	var report tg.MessagesReportRequest
	b.up(144, m{"_": "messages.report", "peer": me, "id": []any{1}, "message": "bad",
		"reason": m{"_": "inputReportReasonViolence"}}, &report)
	is(t, "option", string(report.Option), "inputReportReasonViolence")
	is(t, "comment", report.Message, "bad")
	var owner tg.MessagesEditChatCreatorRequest
	b.up(198, m{"_": "channels.editCreator", "user_id": m{"_": "inputUserSelf"},
		"channel":  m{"_": "inputChannel", "channel_id": 9, "access_hash": 8},
		"password": m{"_": "inputCheckPasswordEmpty"}}, &owner)
	is(t, "channel", owner.Peer.(*tg.InputPeerChannel).AccessHash, int64(8))
	var theme tg.MessagesSetChatThemeRequest
	b.up(198, m{"_": "messages.setChatTheme", "peer": me, "emoticon": ""}, &theme)
	if _, ok := theme.Theme.(*tg.InputChatThemeEmpty); !ok {
		t.Errorf("empty theme is %T", theme.Theme)
	}
	var filter tg.MessagesUpdateDialogFilterRequest
	b.up(152, m{"_": "messages.updateDialogFilter", "id": 2, "filter": m{"_": "dialogFilter",
		"id": 2, "title": "Work", "pinned_peers": []any{}, "include_peers": []any{me},
		"exclude_peers": []any{}}}, &filter)
	is(t, "title", filter.Filter.(*tg.DialogFilter).Title.Text, "Work")
	var web tg.MessagesRequestWebViewRequest
	b.up(144, m{"_": "messages.requestWebView", "peer": me,
		"bot": m{"_": "inputUserSelf"}}, &web)
	is(t, "platform", web.Platform, "unknown")
}

// TestPollUp: correct answers were named by their option and are named by their index.
func TestPollUp(t *testing.T) {
	b := newBench(t)
	poll := func(layer int, correct ...any) []byte {
		var question, one, two any = "q", "a", "b"
		if layer > 178 {
			question, one, two = plain("q"), plain("a"), plain("b")
		}
		return b.book(layer).pack(t, m{"_": "messages.sendMedia", "message": "", "random_id": 1,
			"peer": m{"_": "inputPeerSelf"}, "media": m{"_": "inputMediaPoll",
				"correct_answers": correct,
				"poll": m{"_": "poll", "id": 0, "question": question, "quiz": true,
					"answers": []any{m{"_": "pollAnswer", "text": one, "option": "0"},
						m{"_": "pollAnswer", "text": two, "option": "1"}}}}})
	}
	for _, layer := range []int{144, 198, 223} {
		out, err := b.Up(poll(layer, "1"))
		if err != nil {
			t.Fatal(err)
		}
		var send tg.MessagesSendMediaRequest
		if err := send.Decode(&bin.Buffer{Buf: out}); err != nil {
			t.Fatal(err)
		}
		media := send.Media.(*tg.InputMediaPoll)
		is(t, "correct", media.CorrectAnswers[0], 1)
		is(t, "answer", media.Poll.Answers[1].(*tg.PollAnswer).Text.Text, "b")
		is(t, "quiz", media.Poll.Quiz, true)
		if _, err := b.Up(poll(layer, "7")); !errors.Is(err, ErrDrop) {
			t.Errorf("layer %d: correct answer that is none: %v", layer, err)
		}
	}
}

// TestWrappersUp: wrappers are rewritten with what they wrap.
func TestWrappersUp(t *testing.T) {
	b := newBench(t)
	query := b.book(144).pack(t, m{"_": "messages.sendReaction", "msg_id": 4, "reaction": "x",
		"peer": m{"_": "inputPeerSelf"}})
	head := binary.LittleEndian.AppendUint32(nil, b.book(144).byName["method invokeWithLayer"].ID)
	head = binary.LittleEndian.AppendUint32(head, 144)
	out, err := b.Up(append(bytes.Clone(head), query...))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(out, head) {
		t.Fatal("the wrapper was changed")
	}
	var react tg.MessagesSendReactionRequest
	if err := react.Decode(&bin.Buffer{Buf: out[len(head):]}); err != nil {
		t.Fatal(err)
	}
	is(t, "reaction", len(react.Reaction), 1)
}
