package view

import (
	"github.com/gotd/td/tg"

	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/store"
)

// Message renders a message as the viewer sees it.
func (v *View) Message(m store.Message) tg.MessageClass {
	if v.gone(m) {
		return v.empty(m)
	}
	verdict := v.Verdict(m)
	if verdict.Hidden() {
		return v.withheld(m, verdict)
	}
	c, err := message.DecodeContent(m.Body)
	if v.fail(err) {
		return &tg.MessageEmpty{ID: int(m.ID)}
	}
	if c.Action != nil {
		return v.service(m, c)
	}
	out := &tg.Message{
		Out:         v.out(m),
		Mentioned:   v.mentioned(m, c),
		MediaUnread: m.Flags.Has(store.MediaUnread),
		Silent:      m.Flags.Has(store.Silent),
		Post:        m.Flags.Has(store.Post),
		EditHide:    m.Flags.Has(store.HideEdit),
		Pinned:      m.Flags.Has(store.Pinned),
		Noforwards:  m.Flags.Has(store.NoForwards) || verdict.Still,
		InvertMedia: c.MediaOnTop,
		ID:          int(m.ID),
		PeerID:      v.Peer(m.Peer),
		Date:        int(m.Date),
		Message:     c.Text,
		Entities:    v.entities(c.Entities),
	}
	if m.From != 0 && !(out.Post && m.From == m.Peer) {
		out.SetFromID(v.Peer(m.From))
	}
	if c.Forward != nil {
		out.SetFwdFrom(v.forward(c.Forward))
	}
	if c.Reply != nil {
		out.SetReplyTo(v.reply(m, c.Reply))
	}
	if c.Media != nil {
		out.SetMedia(v.Medium(c.Media, at(m)))
	}
	if len(c.Buttons) > 0 {
		out.SetReplyMarkup(buttons(c.Buttons))
	}
	if m.Edited != 0 {
		out.SetEditDate(int(m.Edited))
	}
	if m.Grouped != 0 {
		out.SetGroupedID(m.Grouped)
	}
	if c.Author != "" {
		out.SetPostAuthor(c.Author)
	}
	if len(verdict.Labels) > 0 {
		out.SetFactcheck(factCheck(verdict.Labels))
	}
	v.counters(m, out)
	if m.Flags.Has(store.Reacted) {
		if r, ok := v.Reactions(m); ok {
			out.SetReactions(r)
		}
	}
	out.SetFlags()
	return out
}

// empty is a message of which nothing may be shown.
func (v *View) empty(m store.Message) *tg.MessageEmpty {
	out := &tg.MessageEmpty{ID: int(m.ID)}
	out.SetPeerID(v.Peer(m.Peer))
	return out
}

// buttons are rows of buttons under a message.
func buttons(rows [][]message.Button) tg.ReplyMarkupClass {
	out := &tg.ReplyInlineMarkup{}
	for _, row := range rows {
		var list []tg.KeyboardInlineButton
		for _, b := range row {
			var does tg.InlineButtonTypeClass = &tg.InlineButtonTypeCallback{Data: b.Data}
			if b.URL != "" {
				does = &tg.InlineButtonTypeURL{URL: b.URL}
			}
			list = append(list, tg.KeyboardInlineButton{Text: b.Text, Type: does})
		}
		out.Rows = append(out.Rows, tg.KeyboardInlineButtonRow{Buttons: list})
	}
	return out
}

// out tells whether the viewer sent the message.
func (v *View) out(m store.Message) bool {
	if m.Box.Kind() == ids.Channel {
		return !v.shared() && !m.Flags.Has(store.Post) && m.From == v.viewer.Peer()
	}
	return m.Flags.Has(store.Out)
}

// mentioned tells whether the message calls the viewer.
func (v *View) mentioned(m store.Message, c message.Content) bool {
	if m.Box.Kind() != ids.Channel {
		return m.Flags.Has(store.Mentioned)
	}
	if v.shared() {
		return false
	}
	for _, id := range c.Mentioned {
		if id == v.viewer {
			return true
		}
	}
	return false
}

// counters sets how often a channel post was seen and forwarded.
func (v *View) counters(m store.Message, out *tg.Message) {
	if !out.Post {
		return
	}
	t := v.tallyOf(m.Box, m.ID)
	c := t.counts[m.ID]
	out.SetViews(int(c.Views) + 1)
	out.SetForwards(int(c.Forwards))
}

// tally are the counters of the posts of a channel from low to high.
type tally struct {
	low, high int64
	counts    map[int64]store.ViewCount
}

// tallySpan is how many posts before and after one the counters are read of, once a view shows more
// than that one.
const tallySpan = 100

// tallyOf reads the counters of a post: alone for the first of a view, because an update shows no
// other, and then of those around it, because a page does.
func (v *View) tallyOf(channel ids.Peer, id int64) tally {
	t, more := v.tallies[channel]
	if more && id >= t.low && id <= t.high {
		return t
	}
	t = tally{low: id, high: id}
	if more {
		t.low, t.high = id-tallySpan, id+tallySpan
	}
	var err error
	t.counts, err = v.r.ViewCounts(channel, t.low, t.high)
	v.fail(err)
	v.tallies[channel] = t
	return t
}

func (v *View) entities(list []message.Entity) []tg.MessageEntityClass {
	if len(list) == 0 {
		return nil
	}
	out := make([]tg.MessageEntityClass, 0, len(list))
	for _, e := range list {
		out = append(out, v.entity(e))
	}
	return out
}

func (v *View) entity(e message.Entity) tg.MessageEntityClass {
	o, l := e.Offset, e.Length
	switch e.Kind {
	case message.Mention:
		return &tg.MessageEntityMention{Offset: o, Length: l}
	case message.Hashtag:
		return &tg.MessageEntityHashtag{Offset: o, Length: l}
	case message.BotCommand:
		return &tg.MessageEntityBotCommand{Offset: o, Length: l}
	case message.URL:
		return &tg.MessageEntityURL{Offset: o, Length: l}
	case message.Email:
		return &tg.MessageEntityEmail{Offset: o, Length: l}
	case message.Bold:
		return &tg.MessageEntityBold{Offset: o, Length: l}
	case message.Italic:
		return &tg.MessageEntityItalic{Offset: o, Length: l}
	case message.Code:
		return &tg.MessageEntityCode{Offset: o, Length: l}
	case message.Pre:
		return &tg.MessageEntityPre{Offset: o, Length: l, Language: e.Text}
	case message.TextURL:
		return &tg.MessageEntityTextURL{Offset: o, Length: l, URL: e.Text}
	case message.MentionName:
		v.mention(ids.UserID(e.ID))
		return &tg.MessageEntityMentionName{Offset: o, Length: l, UserID: e.ID}
	case message.Phone:
		return &tg.MessageEntityPhone{Offset: o, Length: l}
	case message.Cashtag:
		return &tg.MessageEntityCashtag{Offset: o, Length: l}
	case message.Underline:
		return &tg.MessageEntityUnderline{Offset: o, Length: l}
	case message.Strike:
		return &tg.MessageEntityStrike{Offset: o, Length: l}
	case message.BankCard:
		return &tg.MessageEntityBankCard{Offset: o, Length: l}
	case message.Spoiler:
		return &tg.MessageEntitySpoiler{Offset: o, Length: l}
	case message.CustomEmoji:
		return &tg.MessageEntityCustomEmoji{Offset: o, Length: l, DocumentID: e.ID}
	case message.Blockquote:
		b := &tg.MessageEntityBlockquote{Offset: o, Length: l, Collapsed: e.Collapsed}
		b.SetFlags()
		return b
	default:
		return &tg.MessageEntityUnknown{Offset: o, Length: l}
	}
}

func (v *View) forward(f *message.Forward) tg.MessageFwdHeader {
	out := tg.MessageFwdHeader{Date: int(f.Date), Imported: f.Imported}
	if f.From != 0 {
		out.SetFromID(v.Peer(f.From))
	}
	if f.Name != "" {
		out.SetFromName(f.Name)
	}
	if f.Post != 0 {
		out.SetChannelPost(int(f.Post))
	}
	if f.Author != "" {
		out.SetPostAuthor(f.Author)
	}
	if f.SavedPeer != 0 {
		out.SetSavedFromPeer(v.Peer(f.SavedPeer))
		out.SetSavedFromMsgID(int(f.SavedID))
	}
	out.SetFlags()
	return out
}

func (v *View) reply(m store.Message, r *message.Reply) tg.MessageReplyHeaderClass {
	out := &tg.MessageReplyHeader{}
	if m.ReplyTo != 0 {
		out.SetReplyToMsgID(int(m.ReplyTo))
	}
	if r.Peer != 0 {
		out.SetReplyToPeerID(v.Peer(r.Peer))
	}
	if r.From != 0 || r.Name != "" {
		from := tg.MessageFwdHeader{Date: int(r.Date)}
		if r.From != 0 {
			from.SetFromID(v.Peer(r.From))
		}
		if r.Name != "" {
			from.SetFromName(r.Name)
		}
		from.SetFlags()
		out.SetReplyFrom(from)
	}
	if r.Quote != "" && v.quotable(m, r) {
		out.Quote = true
		out.SetQuoteText(r.Quote)
		out.SetQuoteEntities(v.entities(r.QuoteEntities))
		out.SetQuoteOffset(r.QuoteOffset)
	}
	if r.Top != 0 {
		out.SetReplyToTopID(int(r.Top))
	}
	out.SetFlags()
	return out
}

// quotable tells whether a quote may be shown.
func (v *View) quotable(m store.Message, r *message.Reply) bool {
	ok, varies, err := message.Quotable(v.r, v.Audience(), m, r)
	v.varies = v.varies || varies
	return !v.fail(err) && ok
}

func (v *View) service(m store.Message, c message.Content) tg.MessageClass {
	out := &tg.MessageService{
		Out:         v.out(m),
		Mentioned:   v.mentioned(m, c),
		MediaUnread: m.Flags.Has(store.MediaUnread),
		Silent:      m.Flags.Has(store.Silent),
		Post:        m.Flags.Has(store.Post),
		ID:          int(m.ID),
		PeerID:      v.Peer(m.Peer),
		Date:        int(m.Date),
		Action:      v.action(m, c.Action),
	}
	if m.From != 0 && !out.Post {
		out.SetFromID(v.Peer(m.From))
	}
	if c.Reply != nil {
		out.SetReplyTo(v.reply(m, c.Reply))
	}
	out.SetFlags()
	return out
}

func (v *View) action(m store.Message, a *message.Action) tg.MessageActionClass {
	users := make([]int64, 0, len(a.Users))
	for _, id := range a.Users {
		v.mention(id)
		users = append(users, int64(id))
	}
	v.mention(a.User)
	if a.Peer != 0 {
		v.Peer(a.Peer)
	}
	switch a.Kind {
	case message.ChatCreate:
		return &tg.MessageActionChatCreate{Title: a.Title, Users: users}
	case message.ChatEditTitle:
		return &tg.MessageActionChatEditTitle{Title: a.Title}
	case message.ChatEditPhoto:
		return &tg.MessageActionChatEditPhoto{Photo: v.loggedPhoto(m.Peer, a.Photo, at(m))}
	case message.ChatDeletePhoto:
		return &tg.MessageActionChatDeletePhoto{}
	case message.ChatAddUser:
		return &tg.MessageActionChatAddUser{Users: users}
	case message.ChatDeleteUser:
		return &tg.MessageActionChatDeleteUser{UserID: int64(a.User)}
	case message.ChatJoinedByLink:
		return &tg.MessageActionChatJoinedByLink{InviterID: int64(a.User)}
	case message.ChatJoinedByRequest:
		return &tg.MessageActionChatJoinedByRequest{}
	case message.ChannelCreate:
		return &tg.MessageActionChannelCreate{Title: a.Title}
	case message.MigrateTo:
		return &tg.MessageActionChatMigrateTo{ChannelID: int64(a.Peer.Channel())}
	case message.MigrateFrom:
		return &tg.MessageActionChannelMigrateFrom{
			Title: a.Title, ChatID: int64(a.Peer.Chat()),
		}
	case message.PinMessage:
		return &tg.MessageActionPinMessage{}
	case message.HistoryClear:
		return &tg.MessageActionHistoryClear{}
	case message.ContactSignUp:
		return &tg.MessageActionContactSignUp{}
	case message.SetTTL:
		return &tg.MessageActionSetMessagesTTL{Period: int(a.N)}
	default:
		return &tg.MessageActionEmpty{}
	}
}

// recentReactions is how many names stand beside a message's reactions.
const recentReactions = 3

// Reactions renders the reactions to a message; false when there are none.
func (v *View) Reactions(m store.Message) (tg.MessageReactions, bool) {
	counts, err := v.r.ReactionCounts(m.Box, m.ID)
	if v.fail(err) || len(counts) == 0 {
		return tg.MessageReactions{}, false
	}
	out := tg.MessageReactions{Min: v.shared(), CanSeeList: !m.Flags.Has(store.Post)}
	chosen := make(map[string]int)
	if !v.shared() {
		own, err := v.r.ReactionsOf(m.Box, m.ID, v.viewer)
		if v.fail(err) {
			return out, false
		}
		for i, reaction := range own {
			chosen[reaction] = i + 1
		}
	}
	for _, c := range counts {
		rc := tg.ReactionCount{Reaction: Reaction(c.Reaction), Count: int(c.Count)}
		if order, ok := chosen[c.Reaction]; ok {
			rc.SetChosenOrder(order)
		}
		rc.SetFlags()
		out.Results = append(out.Results, rc)
	}
	if out.CanSeeList {
		v.recent(m, &out)
	}
	out.SetFlags()
	return out, true
}

func (v *View) recent(m store.Message, out *tg.MessageReactions) {
	recent, err := v.r.RecentReactions(m.Box, m.ID, recentReactions)
	if v.fail(err) {
		return
	}
	list := make([]tg.MessagePeerReaction, 0, len(recent))
	for _, r := range recent {
		list = append(list, v.PeerReaction(r))
	}
	out.SetRecentReactions(list)
}

// PeerReaction renders one person's reaction.
func (v *View) PeerReaction(r store.Reaction) tg.MessagePeerReaction {
	out := tg.MessagePeerReaction{
		My:       r.User == v.viewer,
		PeerID:   v.Peer(r.User.Peer()),
		Date:     int(r.Date),
		Reaction: Reaction(r.Reaction),
	}
	out.SetFlags()
	return out
}
