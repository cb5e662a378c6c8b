package node

import (
	"fmt"
	"testing"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/enforce"
)

// contentless are types of answers that have no place for content.
var contentless = map[string]bool{
	"*tg.BoolBox": true, "*tg.LongVector": true, "*tg.IntVector": true,
	"*tg.MessagesAffectedMessages": true, "*tg.MessagesAffectedHistory": true,
	"*tg.UpdatesState": true, "*tg.MessagesMessageViews": true, "*tg.ChatOnlines": true,
	"*tg.FileHashVector": true, "*tg.ReceivedNotifyMessageVector": true,
	"*tg.DialogPeerClassVector": true, "*tg.MessagesMessageEditData": true,
	"*tg.DefaultHistoryTTL": true, "tg.ReportResultClass": true,
	"*tg.RequirementToContactClassVector": true, "*tg.ContactStatusVector": true,
	"*tg.ContactsTopPeersDisabled": true,
	// Settings of the caller and of his devices.
	"*tg.AccountDaysTTL": true, "*tg.AccountAuthorizations": true,
	"*tg.AccountContentSettings": true, "*tg.GlobalPrivacySettings": true,
	"*tg.PeerNotifySettings": true, "*tg.AccountPassword": true,
	"*tg.AccountPasswordSettings": true, "tg.AccountResetPasswordResultClass": true,
	"tg.AuthSentCodeClass": true, "*tg.AuthLoggedOut": true, "*tg.AuthPasswordRecovery": true,
	"*tg.AuthExportedAuthorization": true, "tg.AuthLoginTokenClass": true, "*tg.Authorization": true,
	// What is told of secret chats: numbers of a key exchange, dates, and ciphertext.
	"tg.EncryptedChatClass": true, "tg.EncryptedFileClass": true,
	"tg.MessagesSentEncryptedMessageClass": true,
	// What the server says of itself.
	"tg.MessagesDhConfigClass": true,
	"*tg.Config":               true, "*tg.NearestDC": true, "*tg.CDNConfig": true, "*tg.HelpInviteText": true,
	"tg.HelpAppConfigClass": true, "tg.HelpAppUpdateClass": true, "tg.HelpCountriesListClass": true,
	"tg.HelpDeepLinkInfoClass": true, "tg.HelpPeerColorsClass": true, "tg.HelpPromoDataClass": true,
	"tg.HelpTermsOfServiceUpdateClass": true, "tg.HelpTimezonesListClass": true,
	"*tg.HelpSupport": true, "*tg.LangPackDifference": true, "*tg.LangPackLanguage": true,
	"*tg.LangPackLanguageVector": true, "*tg.LangPackStringClassVector": true,
	// What there is none of.
	"tg.MessagesAllStickersClass": true, "tg.AttachMenuBotsClass": true,
	"tg.MessagesAvailableReactionsClass": true, "*tg.MessagesDialogFilters": true,
	"*tg.EmojiKeywordsDifference": true, "*tg.EmojiLanguageVector": true,
	"tg.MessagesFavedStickersClass": true, "tg.MessagesFeaturedStickersClass": true,
	"tg.MessagesRecentStickersClass": true, "tg.MessagesSavedGifsClass": true,
	"tg.MessagesSponsoredMessagesClass": true, "*tg.MessagesBotCallbackAnswer": true,
	"*tg.DialogFilterSuggestedVector": true,
}

// Why a method's answer shows nothing that its caller did not just bring along, or that another
// reader does not show: it is rendered by the same view.
const (
	ownProfile = "the caller's own profile"
	ownDevice  = "the caller, as his device logs in"
	ownMessage = "what the caller sends"
	whatHeDid  = "what the caller did to a chat, as updates"
	nothing    = "there is none"
)

// ownActs are methods that answer with what the caller did, and why that is all.
var ownActs = map[string]string{
	"account.changePhone": ownProfile, "account.updateProfile": ownProfile,
	"account.updateUsername": ownProfile, "account.getNotifyExceptions": whatHeDid,
	"account.getPrivacy": "people named in the caller's own rules",
	"account.setPrivacy": "people named in the caller's own rules",
	"auth.signIn":        ownDevice, "auth.signUp": ownDevice, "auth.checkPassword": ownDevice,
	"auth.recoverPassword": ownDevice, "auth.importAuthorization": ownDevice,
	"channels.createChannel": whatHeDid, "channels.deleteChannel": whatHeDid,
	"channels.deleteHistory": whatHeDid, "channels.editAdmin": whatHeDid,
	"channels.editBanned": whatHeDid, "channels.editPhoto": whatHeDid,
	"channels.editTitle": whatHeDid, "channels.getLeftChannels": "refused to everybody",
	"channels.inviteToChannel": whatHeDid, "channels.joinChannel": whatHeDid,
	"channels.leaveChannel": whatHeDid, "channels.toggleJoinRequest": whatHeDid,
	"channels.toggleJoinToSend": whatHeDid, "channels.toggleParticipantsHidden": whatHeDid,
	"channels.togglePreHistoryHidden": whatHeDid, "channels.toggleSignatures": whatHeDid,
	"channels.toggleSlowMode": whatHeDid, "contacts.acceptContact": whatHeDid,
	"contacts.addContact": whatHeDid, "contacts.deleteContacts": whatHeDid,
	"contacts.importContacts": "people, as contacts.getContacts shows them",
	"folders.editPeerFolders": whatHeDid, "messages.addChatUser": whatHeDid,
	"messages.createChat": whatHeDid, "messages.deleteChatUser": whatHeDid,
	"messages.editChatDefaultBannedRights": whatHeDid,
	"messages.editChatParticipantRank":     whatHeDid, "messages.editChatPhoto": whatHeDid,
	"messages.editChatTitle": whatHeDid, "messages.editExportedChatInvite": whatHeDid,
	"messages.editMessage": ownMessage, "messages.exportChatInvite": whatHeDid,
	"messages.forwardMessages": ownMessage, "messages.hideAllChatJoinRequests": whatHeDid,
	"messages.getScheduledHistory": nothing, "messages.hideChatJoinRequest": whatHeDid,
	"messages.importChatInvite": whatHeDid, "messages.migrateChat": whatHeDid,
	"messages.sendMedia": ownMessage, "messages.sendMessage": ownMessage,
	"messages.sendMultiMedia": ownMessage, "messages.sendReaction": whatHeDid,
	"messages.toggleNoForwards": whatHeDid, "messages.updatePinnedMessage": whatHeDid,
	"photos.updateProfilePhoto": ownProfile, "photos.uploadProfilePhoto": ownProfile,
}

// secrets are what must not be seen while a measure is in force.
func (s *scene) secrets() map[string][]byte {
	file := func(p *tg.Photo) []byte {
		b := s.author.download(&tg.InputPhotoFileLocation{
			ID: p.ID, AccessHash: p.AccessHash, FileReference: p.FileReference,
			ThumbSize: p.Sizes[len(p.Sizes)-1].(*tg.PhotoSize).Type,
		})
		if len(b) < 1000 {
			s.t.Fatalf("a file of %d bytes", len(b))
		}
		return b[700:764]
	}
	return map[string][]byte{
		"text": []byte(roomText), "caption": []byte(roomCaption), "picture": id(s.picture.ID),
		"picture's bytes": file(s.picture), "direct": []byte(directText),
		"group": []byte(groupText), "name": []byte(authorName), "about": []byte(authorAbout),
		"face": id(s.face.ID), "face's bytes": file(s.face), "flag": id(s.flag.ID),
		"flag's bytes": file(s.flag), "room's about": []byte(roomAbout), "reaction": []byte(rare),
	}
}

// sees tells who may still see something by a method.
type sees func(method, who string) bool

func nobody(string, string) bool { return false }

func everybody(string, string) bool { return true }

func but(who string) sees { return func(_, w string) bool { return w != who } }

func only(who string) sees { return func(_, w string) bool { return w == who } }

func notFound(method, _ string) bool { return method != "messages.search" }

// measured is a measure, what it hides from whom, and who is told at once when it is lifted.
type measured struct {
	name    string
	on      func(*scene) safety.Subject
	spec    safety.MeasureSpec
	hides   []string
	sees    sees
	told    []string
	restore enforce.Restored
}

func measuresOfMessages() []measured {
	germany := []string{"DE"}
	text, photo := (*scene).textSubject, (*scene).photoSubject
	direct := func(s *scene) safety.Subject {
		return safety.Subject{Peer: s.author.self.Peer(), Kind: safety.Message,
			Item: int64(s.direct), Author: s.author.self}
	}
	joint := func(s *scene) safety.Subject {
		return safety.Subject{Peer: s.author.self.Peer(), Kind: safety.Message,
			Item: int64(s.joint), Author: s.author.self}
	}
	all := []string{"author", "member", "foreigner"}
	picture := []string{"caption", "picture", "picture's bytes"}
	one := enforce.Restored{Measures: 1, Messages: 1}
	lifted := enforce.Restored{Measures: 1}
	return []measured{
		{"remove a text", text, safety.MeasureSpec{Measure: safety.Remove},
			[]string{"text", "reaction"}, nobody, all, one},
		{"remove a photo", photo, safety.MeasureSpec{Measure: safety.Remove},
			picture, nobody, all, one},
		{"disable a text", text, safety.MeasureSpec{Measure: safety.Disable},
			[]string{"text", "reaction"}, nobody, all, lifted},
		{"disable a photo in a country", photo,
			safety.MeasureSpec{Measure: safety.Disable, Territory: germany},
			picture, but("foreigner"), []string{"foreigner"}, lifted},
		{"disable a text in a country", text,
			safety.MeasureSpec{Measure: safety.Disable, Territory: germany},
			[]string{"text", "reaction"}, but("foreigner"), []string{"foreigner"}, lifted},
		{"age-restrict a photo", photo, safety.MeasureSpec{Measure: safety.AgeRestrict},
			picture, only("member"), []string{"author", "foreigner"}, lifted},
		{"demote a photo", photo, safety.MeasureSpec{Measure: safety.Demote},
			[]string{"caption"}, notFound, nil, lifted},
		{"remove a private message", direct, safety.MeasureSpec{Measure: safety.Remove},
			[]string{"direct"}, nobody, []string{"author", "member"}, one},
		{"disable a private message", direct, safety.MeasureSpec{Measure: safety.Disable},
			[]string{"direct"}, nobody, []string{"author", "member"}, lifted},
		{"age-restrict a private message", direct,
			safety.MeasureSpec{Measure: safety.AgeRestrict},
			[]string{"direct"}, only("member"), []string{"author"}, lifted},
		{"remove a message of a basic group", joint, safety.MeasureSpec{Measure: safety.Remove},
			[]string{"group"}, nobody, []string{"author", "member"}, one},
		{"label a text", text, safety.MeasureSpec{Measure: safety.Label, Detail: "disputed"},
			[]string{"text"}, everybody, nil, lifted},
	}
}

func measuresOfPeers() []measured {
	room, author := (*scene).roomSubject, (*scene).authorSubject
	inRoom := []string{
		"text", "caption", "picture", "picture's bytes", "room's about", "flag", "flag's bytes",
		"reaction",
	}
	profile := []string{"face", "face's bytes", "about"}
	chat := enforce.Restored{Measures: 1, Chats: 1}
	account := enforce.Restored{Measures: 1, Accounts: 1}
	return []measured{
		{"terminate a room", room, safety.MeasureSpec{Measure: safety.Terminate},
			inRoom, nobody, nil, chat},
		{"disable a room", room, safety.MeasureSpec{Measure: safety.Disable},
			inRoom, nobody, nil, chat},
		{"disable a room in a country", room,
			safety.MeasureSpec{Measure: safety.Disable, Territory: []string{"DE"}},
			inRoom, but("foreigner"), nil, chat},
		{"age-restrict a room", room, safety.MeasureSpec{Measure: safety.AgeRestrict},
			inRoom, only("member"), nil, chat},
		{"terminate a basic group", func(s *scene) safety.Subject {
			return safety.Subject{Peer: s.group, Kind: safety.Chat}
		}, safety.MeasureSpec{Measure: safety.Terminate}, []string{"group"}, nobody, nil, chat},
		{"terminate an account", author, safety.MeasureSpec{Measure: safety.Terminate},
			append([]string{"name"}, profile...), nobody, nil, account},
		{"age-restrict an account", author, safety.MeasureSpec{Measure: safety.AgeRestrict},
			profile, only("member"), nil, account},
		{"suspend an account", author, safety.MeasureSpec{Measure: safety.Suspend},
			[]string{"name", "face", "text"}, everybody, nil, account},
		{"remove a profile photo", func(s *scene) safety.Subject {
			return safety.Subject{Peer: s.author.self.Peer(), Kind: safety.Photo,
				Item: s.face.ID, Author: s.author.self}
		}, safety.MeasureSpec{Measure: safety.Remove}, []string{"face", "face's bytes"}, nobody, nil,
			enforce.Restored{Measures: 1, Photos: 1}},
		{"remove a room's photo", func(s *scene) safety.Subject {
			return safety.Subject{Peer: s.room, Kind: safety.Photo, Item: s.flag.ID}
		}, safety.MeasureSpec{Measure: safety.Remove}, []string{"flag", "flag's bytes"}, nobody, nil,
			enforce.Restored{Measures: 1, Photos: 1}},
		{"remove a reaction", func(s *scene) safety.Subject {
			return safety.Subject{Peer: s.room, Kind: safety.Reaction, Item: int64(s.text),
				Author: s.member.self}
		}, safety.MeasureSpec{Measure: safety.Remove}, []string{"reaction"}, nobody,
			[]string{"author", "member", "foreigner"},
			enforce.Restored{Measures: 1, Reactions: 1}},
	}
}

// TestMeasures takes every measure, reads everything by every method as everybody, before, meanwhile
// and after, and listens to what is pushed.
func TestMeasures(t *testing.T) {
	s := newScene(t)
	must(s.member.AccountSetContentSettings(ctx(), &tg.AccountSetContentSettingsRequest{
		SensitiveEnabled: true,
	}))(t)
	secrets := s.secrets()
	before := s.look(t, secrets)
	for _, where := range []string{
		"messages.getHistory by stranger", "channels.getMessages by foreigner",
		"messages.search by stranger", "updates.getChannelDifference by member",
		"messages.getUnreadMentions by member", "export by author",
	} {
		if !before["text"][where] {
			t.Errorf("the text is not even seen in %s", where)
		}
	}
	for name := range secrets {
		if len(before[name]) == 0 {
			t.Errorf("nobody sees %s", name)
		}
	}
	for _, m := range append(measuresOfMessages(), measuresOfPeers()...) {
		t.Run(m.name, func(t *testing.T) { s.measure(t, m, secrets, before) })
	}
}

// measure takes one measure and lifts it again.
func (s *scene) measure(
	t *testing.T, m measured, secrets map[string][]byte, before map[string]seen,
) {
	s.t = t
	s.quiet()
	s.clock.Advance(time.Minute)
	lift := s.take(m.on(s), m.spec)
	hidden := make(map[string][]byte)
	want := make(map[string]seen)
	for _, name := range m.hides {
		hidden[name] = secrets[name]
		want[name] = make(seen)
		for where := range before[name] {
			var method, who string
			if _, err := fmt.Sscanf(where, "%s by %s", &method, &who); err != nil {
				t.Fatal(err)
			}
			if m.sees(method, who) {
				want[name][where] = true
			}
		}
	}
	for name, by := range s.heard(hidden) {
		for who := range by {
			if !m.sees("push", who) {
				t.Errorf("%s was pushed to %s when it was hidden", name, who)
			}
		}
	}
	s.inOrder(t)
	same(t, "meanwhile", s.look(t, hidden), want)
	s.quiet()
	s.clock.Advance(time.Minute)
	if got := lift(); got != m.restore {
		t.Errorf("put back %+v, want %+v", got, m.restore)
	}
	heard := s.heard(hidden)
	for _, name := range m.hides {
		for _, who := range m.told {
			if !heard[name][who] && before[name]["messages.getHistory by "+who] {
				t.Errorf("%s was not pushed to %s when it came back", name, who)
			}
		}
	}
	s.inOrder(t)
	same(t, "afterwards", s.look(t, secrets), before)
}

// inOrder fails when updates were pushed with a gap in their pts.
func (s *scene) inOrder(t *testing.T) {
	t.Helper()
	for who, p := range s.viewers() {
		p.mu.Lock()
		last := make(map[ids.Peer]int)
		for _, u := range p.pushed {
			in, pts, count := moved(p.self, u)
			if count == 0 {
				continue
			}
			if before, known := last[in]; known && pts-count != before {
				t.Errorf("%s was told %T of %v at pts %d after %d", who, u, in, pts, before)
			}
			last[in] = pts
		}
		p.mu.Unlock()
	}
}

// moved says which box an update moved the pts of.
func moved(self ids.UserID, u tg.UpdateClass) (in ids.Peer, pts, count int) {
	x, ok := u.(interface {
		GetPts() int
		GetPtsCount() int
	})
	if !ok {
		return 0, 0, 0
	}
	in = self.Peer()
	switch c := u.(type) {
	case interface{ GetChannelID() int64 }:
		in = ids.PeerChannel(ids.ChannelID(c.GetChannelID()))
	case *tg.UpdateNewChannelMessage:
		in = channelOf(c.Message)
	case *tg.UpdateEditChannelMessage:
		in = channelOf(c.Message)
	}
	return in, x.GetPts(), x.GetPtsCount()
}

func channelOf(m tg.MessageClass) ids.Peer {
	full, ok := m.AsNotEmpty()
	if !ok {
		return 0
	}
	peer, ok := full.GetPeerID().(*tg.PeerChannel)
	if !ok {
		return 0
	}
	return ids.PeerChannel(ids.ChannelID(peer.ChannelID))
}
