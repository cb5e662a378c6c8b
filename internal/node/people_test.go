package node

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/ids"
)

// profile is a request to change the own profile: what is "-" stays.
func profile(first, last, about string) *tg.AccountUpdateProfileRequest {
	in := &tg.AccountUpdateProfileRequest{}
	if first != "-" {
		in.SetFirstName(first)
	}
	if last != "-" {
		in.SetLastName(last)
	}
	if about != "-" {
		in.SetAbout(about)
	}
	return in
}

func TestProfile(t *testing.T) {
	w := newWorld(t)
	a, b, stranger := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	tablet := a.another()
	b.say(a.self.Peer(), "hello")
	forget(a.client, b.client, tablet, stranger.client)

	u := must(a.AccountUpdateProfile(ctx(), profile(" Member\n", "One", " hello ")))(t).(*tg.User)
	if u.FirstName != "Member" || u.LastName != "One" || !u.Self {
		t.Errorf("%+v", u)
	}
	n := hears(tablet, func(n *tg.UpdateUserName) bool { return n.UserID == u.ID })
	if n.FirstName != "Member" || n.LastName != "One" {
		t.Errorf("the other device was told %+v", n)
	}
	hears(b.client, func(n *tg.UpdateUser) bool { return n.UserID == u.ID })
	if seen := b.people[u.ID]; seen == nil || seen.LastName != "One" {
		t.Errorf("who knows him sees %+v", seen)
	}
	silent(stranger.client, func(*tg.UpdateUser) bool { return true })
	full := must(b.UsersGetFullUser(ctx(), b.inputUser(a)))(t)
	if full.FullUser.About != "hello" {
		t.Errorf("described as %q", full.FullUser.About)
	}
	u = must(a.AccountUpdateProfile(ctx(), profile("-", "", "-")))(t).(*tg.User)
	if u.FirstName != "Member" || u.LastName != "" {
		t.Errorf("what was not named changed: %+v", u)
	}
	_, err := a.AccountUpdateProfile(ctx(), profile(" \n", "-", "-"))
	refused(t, "no name", err, "FIRSTNAME_INVALID")
	_, err = a.AccountUpdateProfile(ctx(), profile("-", strings.Repeat("x", 65), "-"))
	refused(t, "a long name", err, "LASTNAME_INVALID")
	_, err = a.AccountUpdateProfile(ctx(), profile("-", "-", strings.Repeat("я", 71)))
	refused(t, "a long description", err, "ABOUT_TOO_LONG")
	_, err = a.UsersGetFullUser(ctx(), &tg.InputUser{UserID: int64(b.self), AccessHash: 1})
	refused(t, "a made up address", err, "USER_ID_INVALID")
}

func TestUsernames(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	tablet := a.another()
	a.say(b.self.Peer(), "hello")
	forget(b.client, tablet)
	check := func(p *person, name string, want bool) {
		t.Helper()
		if got := must(p.AccountCheckUsername(ctx(), name))(t); got != want {
			t.Errorf("%s may take %q: %v", p.phone, name, got)
		}
	}
	check(a, "member_one", true)
	must(a.AccountUpdateUsername(ctx(), "member_one"))(t)
	check(b, "MEMBER_one", false)
	check(a, "Member_One", true)
	for _, bad := range []string{"", "four", "1member", "member-one", "member_", strings.Repeat("x", 33)} {
		_, err := a.AccountCheckUsername(ctx(), bad)
		refused(t, bad, err, "USERNAME_INVALID")
	}
	check(a, "Transparency", false)
	_, err := a.AccountUpdateUsername(ctx(), "transparency")
	refused(t, "a page's name", err, "USERNAME_OCCUPIED")
	_, err = b.AccountUpdateUsername(ctx(), "Member_ONE")
	refused(t, "a taken name", err, "USERNAME_OCCUPIED")
	_, err = a.AccountUpdateUsername(ctx(), "member_one")
	refused(t, "the same name", err, "USERNAME_NOT_MODIFIED")
	hears(tablet, func(u *tg.UpdateUserName) bool {
		return len(u.Usernames) == 1 && u.Usernames[0].Username == "member_one"
	})
	hears(b.client, func(u *tg.UpdateUser) bool { return u.UserID == int64(a.self) })
	found := must(b.ContactsSearch(ctx(), &tg.ContactsSearchRequest{Q: "@member_o", Limit: 10}))(t)
	if len(found.MyResults) != 1 || len(found.Results) != 0 {
		t.Errorf("found %+v among strangers, %+v among those known", found.Results, found.MyResults)
	}
	must(a.AccountUpdateUsername(ctx(), ""))(t)
	check(b, "member_one", true)
	_, err = b.ContactsResolveUsername(ctx(), &tg.ContactsResolveUsernameRequest{
		Username: "member_one",
	})
	refused(t, "a name given back", err, "USERNAME_NOT_OCCUPIED")
}

func TestSearchForPeople(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("Anna Berg"), w.join("Member 2"), w.join("Anna Tal")
	must(a.AccountUpdateUsername(ctx(), "first_anna"))(t)
	search := func(q string, limit int) *tg.ContactsFound {
		t.Helper()
		return must(b.ContactsSearch(ctx(), &tg.ContactsSearchRequest{Q: q, Limit: limit}))(t)
	}
	found := search("anna", 10)
	if len(found.Results) != 1 || len(found.MyResults) != 0 || len(found.Users) != 1 {
		t.Errorf("strangers with a username are found, others are not: %+v", found)
	}
	if n := len(search("an", 10).Results); n != 0 {
		t.Errorf("two letters found %d strangers", n)
	}
	b.say(c.self.Peer(), "hello")
	must(c.AccountUpdateUsername(ctx(), "second_anna"))(t)
	if f := search("anna", 10); len(f.MyResults) != 1 || len(f.Results) != 1 {
		t.Errorf("whom one writes to is found apart: %+v", f)
	}
	if n := len(search("anna", 0).Results); n > 1 {
		t.Errorf("a limit of none found %d", n)
	}
	_, err := b.ContactsSearch(ctx(), &tg.ContactsSearchRequest{Q: " @", Limit: 10})
	refused(t, "no words", err, "QUERY_TOO_SHORT")
}

// rules are privacy rules as a client sends them.
type rules = []tg.InputPrivacyRuleClass

func (d *client) lets(t *testing.T, key tg.InputPrivacyKeyClass, list ...tg.InputPrivacyRuleClass) {
	t.Helper()
	must(d.AccountSetPrivacy(ctx(), &tg.AccountSetPrivacyRequest{Key: key, Rules: list}))(t)
}

func TestOnline(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	for _, p := range []*person{b, c} {
		p.say(a.self.Peer(), "hello")
		must(p.ContactsAddContact(ctx(), &tg.ContactsAddContactRequest{
			ID: p.inputUser(a), FirstName: "One",
		}))(t)
	}
	a.lets(t, &tg.InputPrivacyKeyStatusTimestamp{},
		&tg.InputPrivacyValueDisallowUsers{Users: []tg.InputUserClass{a.inputUser(c)}},
		&tg.InputPrivacyValueAllowAll{})
	forget(b.client, c.client)
	status := func(p *person) tg.UserStatusClass {
		t.Helper()
		list := must(p.ContactsGetStatuses(ctx()))(t)
		if len(list) != 1 || list[0].UserID != int64(a.self) {
			t.Fatalf("%+v", list)
		}
		return list[0].Status
	}
	must(a.AccountUpdateStatus(ctx(), false))(t)
	u := hears(b.client, func(u *tg.UpdateUserStatus) bool { return u.UserID == int64(a.self) })
	if s, ok := u.Status.(*tg.UserStatusOnline); !ok || s.Expires <= int(w.clock.Now().Unix()) {
		t.Errorf("who may know was told %v", u.Status)
	}
	u = hears(c.client, func(u *tg.UpdateUserStatus) bool { return u.UserID == int64(a.self) })
	if _, ok := u.Status.(*tg.UserStatusRecently); !ok {
		t.Errorf("who may not know was told %v", u.Status)
	}
	if _, ok := status(b).(*tg.UserStatusOnline); !ok {
		t.Errorf("the list says %v", status(b))
	}
	w.clock.Advance(time.Minute)
	must(a.AccountUpdateStatus(ctx(), true))(t)
	u = hears(b.client, func(u *tg.UpdateUserStatus) bool { return u.UserID == int64(a.self) })
	if s, ok := u.Status.(*tg.UserStatusOffline); !ok || s.WasOnline != int(w.clock.Now().Unix()) {
		t.Errorf("told %v", u.Status)
	}
	w.clock.Advance(8 * 24 * time.Hour)
	if _, ok := status(b).(*tg.UserStatusOffline); !ok {
		t.Errorf("the list says %v", status(b))
	}
	if _, ok := status(c).(*tg.UserStatusLastMonth); !ok {
		t.Errorf("a rough class after a week: %v", status(c))
	}
	// Who hides his own time from somebody does not see that person's.
	b.lets(t, &tg.InputPrivacyKeyStatusTimestamp{}, &tg.InputPrivacyValueDisallowAll{})
	if s, ok := status(b).(*tg.UserStatusLastMonth); !ok || !s.ByMe {
		t.Errorf("who tells nothing learns %v", status(b))
	}
}

func TestPrivacyKeys(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	tablet := a.another()
	keys := []tg.InputPrivacyKeyClass{
		&tg.InputPrivacyKeyStatusTimestamp{}, &tg.InputPrivacyKeyChatInvite{},
		&tg.InputPrivacyKeyPhoneCall{}, &tg.InputPrivacyKeyPhoneP2P{},
		&tg.InputPrivacyKeyForwards{}, &tg.InputPrivacyKeyProfilePhoto{},
		&tg.InputPrivacyKeyPhoneNumber{}, &tg.InputPrivacyKeyAddedByPhone{},
		&tg.InputPrivacyKeyVoiceMessages{}, &tg.InputPrivacyKeyAbout{},
		&tg.InputPrivacyKeyBirthday{},
	}
	for _, key := range keys {
		was := must(a.AccountGetPrivacy(ctx(), key))(t)
		if len(was.Rules) == 0 {
			t.Errorf("%T has no default", key)
		}
		forget(a.client, tablet)
		a.lets(t, key, &tg.InputPrivacyValueAllowUsers{Users: []tg.InputUserClass{a.inputUser(b)}},
			&tg.InputPrivacyValueAllowContacts{}, &tg.InputPrivacyValueDisallowAll{})
		for _, d := range []*client{a.client, tablet} {
			is := must(d.AccountGetPrivacy(ctx(), key))(t)
			if len(is.Rules) != 3 || len(is.Users) != 1 {
				t.Errorf("%T is %v", key, is.Rules)
			}
		}
		told := hears(tablet, func(u *tg.UpdatePrivacy) bool {
			return strings.TrimPrefix(fmt.Sprintf("%T", u.Key), "*tg.") ==
				strings.TrimPrefix(fmt.Sprintf("%T", key), "*tg.Input")
		})
		if len(told.Rules) != 3 {
			t.Errorf("the other device was told %v", told.Rules)
		}
		silent(a.client, func(*tg.UpdatePrivacy) bool { return true })
	}
	_, err := a.AccountGetPrivacy(ctx(), &tg.InputPrivacyKeyNoPaidMessages{})
	refused(t, "a key of what does not exist here", err, "PRIVACY_KEY_INVALID")
	for what, bad := range map[string]struct {
		rules  rules
		reason string
	}{
		"a stranger's address": {rules{&tg.InputPrivacyValueAllowUsers{
			Users: []tg.InputUserClass{&tg.InputUser{UserID: int64(b.self), AccessHash: 5}},
		}}, "USER_ID_INVALID"},
		"more words than there are": {slices.Repeat(rules{&tg.InputPrivacyValueAllowAll{}}, 30),
			"PRIVACY_TOO_LONG"},
		"a rule for what does not exist here": {rules{&tg.InputPrivacyValueAllowPremium{}},
			"PRIVACY_VALUE_INVALID"},
	} {
		_, err := a.AccountSetPrivacy(ctx(), &tg.AccountSetPrivacyRequest{
			Key: keys[0], Rules: bad.rules,
		})
		refused(t, what, err, bad.reason)
	}
}

// TestPrivacyHolds makes sure that each rule holds wherever what it covers is shown or done.
func TestPrivacyHolds(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	photo := a.profilePhoto(t)
	must(a.AccountUpdateProfile(ctx(), profile("-", "-", "about me")))(t)
	room := b.group(t, "Group", c)
	for _, key := range []tg.InputPrivacyKeyClass{
		&tg.InputPrivacyKeyProfilePhoto{}, &tg.InputPrivacyKeyAbout{},
		&tg.InputPrivacyKeyPhoneNumber{}, &tg.InputPrivacyKeyChatInvite{},
		&tg.InputPrivacyKeyForwards{}, &tg.InputPrivacyKeyVoiceMessages{},
		&tg.InputPrivacyKeyAddedByPhone{},
	} {
		a.lets(t, key,
			&tg.InputPrivacyValueAllowUsers{Users: []tg.InputUserClass{a.inputUser(b)}},
			&tg.InputPrivacyValueDisallowAll{})
	}
	said := map[*person]int{}
	for _, p := range []*person{b, c} {
		said[p] = a.say(p.self.Peer(), "to forward")
	}
	for p, sees := range map[*person]bool{b: true, c: false} {
		full := must(p.UsersGetFullUser(ctx(), p.inputUser(a)))(t)
		u := full.Users[0].(*tg.User)
		if (full.FullUser.About != "") != sees || (full.FullUser.ProfilePhoto != nil) != sees {
			t.Errorf("sees %v, is shown %+v", sees, full.FullUser)
		}
		if (u.Phone != "") != sees || (u.Photo != nil) != sees {
			t.Errorf("sees %v, is shown %+v", sees, u)
		}
		if full.FullUser.VoiceMessagesForbidden == sees {
			t.Errorf("may send voice messages: %v", !full.FullUser.VoiceMessagesForbidden)
		}
		if (full.FullUser.PrivateForwardName == "") != sees {
			t.Errorf("forwards say %q", full.FullUser.PrivateForwardName)
		}
		list := must(p.PhotosGetUserPhotos(ctx(), &tg.PhotosGetUserPhotosRequest{
			UserID: p.inputUser(a), Limit: 10,
		}))(t)
		if (len(list.GetPhotos()) > 0) != sees {
			t.Errorf("sees %v, is listed %d photos", sees, len(list.GetPhotos()))
		}
		_, err := p.UploadGetFile(ctx(), &tg.UploadGetFileRequest{
			Location: &tg.InputPeerPhotoFileLocation{
				Peer: p.input(a.self.Peer()), PhotoID: photo.ID,
			},
			Limit: 4096,
		})
		if (err == nil) != sees {
			t.Errorf("sees %v, fetches: %v", sees, err)
		}
		_, err = p.ContactsResolvePhone(ctx(), a.phone)
		if (err == nil) != sees {
			t.Errorf("may be found by number %v: %v", sees, err)
		}
		p.forwards(t, said[p], a, sees)
		err = p.voice(t, a.self.Peer())
		if sees && err != nil {
			t.Errorf("a voice message: %v", err)
		} else if !sees {
			refused(t, "a voice message", err, "VOICE_MESSAGES_FORBIDDEN")
		}
		added := must(p.MessagesAddChatUser(ctx(), &tg.MessagesAddChatUserRequest{
			ChatID: int64(room.Chat()), UserID: p.inputUser(a),
		}))
		if p == c {
			if missing := added(t).MissingInvitees; len(missing) != 1 {
				t.Errorf("added to a group against his will: %+v", missing)
			}
		}
	}
}

// forwards sends a message of somebody on and looks whether it leads to him.
func (d *client) forwards(t *testing.T, id int, author *person, leads bool) {
	t.Helper()
	in := d.theirs(t, author.self.Peer(), id)
	u := must(d.MessagesForwardMessages(ctx(), &tg.MessagesForwardMessagesRequest{
		FromPeer: d.input(author.self.Peer()), ToPeer: &tg.InputPeerSelf{}, ID: []int{in},
		RandomID: []int64{random()},
	}))(t)
	m, _ := among(listOf(t, u), func(*tg.UpdateNewMessage) bool { return true })
	from, _ := m.Message.(*tg.Message).GetFwdFrom()
	if (from.FromID != nil) != leads || (from.FromName != "") == leads {
		t.Errorf("leads to the author: %v, want %v", from, leads)
	}
}

// theirs returns the own id of the newest message with a peer.
func (d *client) theirs(t *testing.T, peer ids.Peer, _ int) int {
	t.Helper()
	h := must(d.MessagesGetHistory(ctx(), &tg.MessagesGetHistoryRequest{
		Peer: d.input(peer), Limit: 1,
	}))(t)
	m, _ := h.AsModified()
	return m.GetMessages()[0].GetID()
}

func TestNotifySettings(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	tablet := a.another()
	b.say(a.self.Peer(), "hello")
	room := a.group(t, "Group", b)
	until := int(w.clock.Now().Add(time.Hour).Unix())
	set := func(peer tg.InputNotifyPeerClass, sound tg.NotificationSoundClass) {
		t.Helper()
		in := tg.InputPeerNotifySettings{}
		in.SetMuteUntil(until)
		in.SetShowPreviews(false)
		in.SetSilent(true)
		if sound != nil {
			in.SetSound(sound)
		}
		must(a.AccountUpdateNotifySettings(ctx(), &tg.AccountUpdateNotifySettingsRequest{
			Peer: peer, Settings: in,
		}))(t)
	}
	same := func(what string, s tg.PeerNotifySettings) {
		t.Helper()
		previews, hasPreviews := s.GetShowPreviews()
		if s.MuteUntil != until || !s.Silent || previews || !hasPreviews {
			t.Errorf("%s: %+v", what, s)
		}
	}
	private := &tg.InputNotifyPeer{Peer: a.input(b.self.Peer())}
	for _, c := range []struct {
		in   tg.InputNotifyPeerClass
		name string
	}{
		{private, "*tg.NotifyPeer"},
		{&tg.InputNotifyPeer{Peer: a.input(room)}, "*tg.NotifyPeer"},
		{&tg.InputNotifyUsers{}, "*tg.NotifyUsers"},
		{&tg.InputNotifyChats{}, "*tg.NotifyChats"},
		{&tg.InputNotifyBroadcasts{}, "*tg.NotifyBroadcasts"},
	} {
		forget(tablet)
		set(c.in, &tg.NotificationSoundNone{})
		told := hears(tablet, func(u *tg.UpdateNotifySettings) bool {
			return fmt.Sprintf("%T", u.Peer) == c.name
		})
		same("the other device", told.NotifySettings)
		s := must(tablet.AccountGetNotifySettings(ctx(), c.in))(t)
		same(c.name, *s)
		if _, ok := s.OtherSound.(*tg.NotificationSoundNone); !ok {
			t.Errorf("%s sounds like %v", c.name, s.OtherSound)
		}
	}
	full := must(a.UsersGetFullUser(ctx(), a.inputUser(b)))(t)
	same("the full profile", full.FullUser.NotifySettings)
	exceptions := func(change func(*tg.AccountGetNotifyExceptionsRequest)) int {
		t.Helper()
		in := &tg.AccountGetNotifyExceptionsRequest{}
		if change != nil {
			change(in)
		}
		u := must(a.AccountGetNotifyExceptions(ctx(), in))(t)
		return len(listOf(t, u))
	}
	if n := exceptions(nil); n != 2 {
		t.Errorf("%d exceptions", n)
	}
	if n := exceptions(func(in *tg.AccountGetNotifyExceptionsRequest) {
		in.SetPeer(&tg.InputNotifyUsers{})
	}); n != 1 {
		t.Errorf("%d exceptions among people", n)
	}
	other := tablet.newestDialog(t, b.self.Peer())
	same("the chat list", other.NotifySettings)
	forget(tablet)
	must(a.AccountResetNotifySettings(ctx()))(t)
	hears(tablet, func(u *tg.UpdateNotifySettings) bool { return u.NotifySettings.MuteUntil == 0 })
	if n := exceptions(nil); n != 0 {
		t.Errorf("%d exceptions after all are forgotten", n)
	}
	if s := must(a.AccountGetNotifySettings(ctx(), private))(t); s.MuteUntil != 0 {
		t.Errorf("still muted: %+v", s)
	}
	if s := must(b.AccountGetNotifySettings(ctx(), &tg.InputNotifyUsers{}))(t); s.Silent {
		t.Error("somebody else's settings changed")
	}
	_, err := a.AccountGetNotifySettings(ctx(), &tg.InputNotifyPeer{
		Peer: &tg.InputPeerUser{UserID: int64(b.self), AccessHash: 1},
	})
	refused(t, "a made up address", err, "PEER_ID_INVALID")
}

// newestDialog returns a line of the chat list.
func (d *client) newestDialog(t *testing.T, peer ids.Peer) *tg.Dialog {
	t.Helper()
	out := must(d.MessagesGetPeerDialogs(ctx(), []tg.InputDialogPeerClass{
		&tg.InputDialogPeer{Peer: d.input(peer)},
	}))(t)
	return out.Dialogs[0].(*tg.Dialog)
}

func TestContacts(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	tablet := a.another()
	b.say(a.self.Peer(), "hello")
	forget(a.client, tablet, b.client)
	bar := func() tg.PeerSettings {
		t.Helper()
		return must(a.MessagesGetPeerSettings(ctx(), a.input(b.self.Peer())))(t).Settings
	}
	if s := bar(); !s.AddContact || !s.BlockContact || !s.ReportSpam {
		t.Errorf("about a stranger who writes: %+v", s)
	}
	must(a.MessagesHidePeerSettingsBar(ctx(), a.input(b.self.Peer())))(t)
	if s := bar(); s.AddContact || s.BlockContact {
		t.Errorf("after the bar was closed: %+v", s)
	}
	hears(tablet, func(u *tg.UpdatePeerSettings) bool { return !u.Settings.AddContact })
	see := func(d *client, p *person) *tg.User {
		t.Helper()
		return must(d.UsersGetUsers(ctx(), []tg.InputUserClass{d.inputUser(p)}))(t)[0].(*tg.User)
	}
	if see(b.client, a).Phone != "" {
		t.Error("a number shows though it is for contacts only")
	}
	u := must(a.ContactsAddContact(ctx(), &tg.ContactsAddContactRequest{
		ID: a.inputUser(b), FirstName: "Two", LastName: "B", Phone: "+1 (555) 0100",
	}))(t).(*tg.Updates)
	shown := u.Users[0].(*tg.User)
	if !shown.Contact || shown.MutualContact || shown.FirstName != "Two" || shown.Phone != "15550100" {
		t.Errorf("the contact is shown as %+v", shown)
	}
	hears(tablet, func(u *tg.UpdatePeerSettings) bool { return true })
	if p := tablet.people[int64(b.self)]; p == nil || p.FirstName != "Two" {
		t.Errorf("the other device sees %+v", p)
	}
	if list := must(tablet.ContactsGetContactIDs(ctx(), 0))(t); !slices.Equal(list, []int{int(b.self)}) {
		t.Errorf("the address book is %v", list)
	}
	// b asked to share numbers; a accepts, though b is no contact for whom the rule would do.
	b.lets(t, &tg.InputPrivacyKeyPhoneNumber{}, &tg.InputPrivacyValueDisallowAll{})
	must(b.ContactsAcceptContact(ctx(), b.inputUser(a)))(t)
	got := must(a.ContactsGetContacts(ctx(), 0))(t).(*tg.ContactsContacts)
	if len(got.Contacts) != 1 || got.Contacts[0].Mutual {
		t.Errorf("%+v", got.Contacts)
	}
	must(a.ContactsAddContact(ctx(), &tg.ContactsAddContactRequest{
		ID: a.inputUser(b), FirstName: "Two", AddPhonePrivacyException: true,
	}))(t)
	hears(tablet, func(u *tg.UpdatePrivacy) bool { return len(u.Rules) > 1 })
	if got := see(a.client, b).Phone; got != b.phone {
		t.Errorf("the number of who accepted shows as %q", got)
	}
	if got := see(b.client, a).Phone; got != a.phone {
		t.Errorf("the number of who made an exception shows as %q", got)
	}
	for what, bad := range map[string]*tg.ContactsAddContactRequest{
		"CONTACT_NAME_EMPTY": {ID: a.inputUser(b), FirstName: " "},
		"CONTACT_ID_INVALID": {ID: &tg.InputUserSelf{}, FirstName: "Me"},
		"USER_ID_INVALID":    {ID: &tg.InputUser{UserID: int64(b.self), AccessHash: 3}, FirstName: "X"},
	} {
		_, err := a.ContactsAddContact(ctx(), bad)
		refused(t, what, err, what)
	}
	_, err := a.ContactsAcceptContact(ctx(), &tg.InputUser{UserID: int64(b.self), AccessHash: 3})
	refused(t, "accepting a stranger", err, "USER_ID_INVALID")
	if s := must(a.ContactsGetStatuses(ctx()))(t); len(s) != 1 || s[0].UserID != int64(b.self) {
		t.Errorf("%+v", s)
	}
}

func TestCloseFriends(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	must(a.AccountUpdateProfile(ctx(), profile("-", "-", "for friends")))(t)
	for _, p := range []*person{b, c} {
		must(a.ContactsAddContact(ctx(), &tg.ContactsAddContactRequest{
			ID: a.inputUser(p), FirstName: "Friend",
		}))(t)
	}
	a.lets(t, &tg.InputPrivacyKeyAbout{}, &tg.InputPrivacyValueAllowCloseFriends{},
		&tg.InputPrivacyValueDisallowAll{})
	about := func(p *person) string {
		t.Helper()
		return must(p.UsersGetFullUser(ctx(), p.inputUser(a)))(t).FullUser.About
	}
	if about(b) != "" {
		t.Error("a contact is no close friend")
	}
	must(a.ContactsEditCloseFriends(ctx(), []int64{int64(b.self), 12345}))(t)
	if about(b) == "" || about(c) != "" {
		t.Errorf("a close friend reads %q, another %q", about(b), about(c))
	}
	book := must(a.ContactsGetContacts(ctx(), 0))(t).(*tg.ContactsContacts)
	for _, u := range book.Users {
		if u := u.(*tg.User); u.CloseFriend != (u.ID == int64(b.self)) {
			t.Errorf("%d is a close friend: %v", u.ID, u.CloseFriend)
		}
	}
	must(a.ContactsEditCloseFriends(ctx(), []int64{int64(c.self)}))(t)
	if about(b) != "" || about(c) == "" {
		t.Error("the list was not replaced")
	}
}

func TestBlocks(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	tablet := a.another()
	room := a.group(t, "Group", b)
	a.say(b.self.Peer(), "hello")
	id := b.theirs(t, a.self.Peer(), 0)
	forget(a.client, tablet, b.client)
	block := func(in *tg.ContactsBlockRequest) error {
		_, err := a.ContactsBlock(ctx(), in)
		return err
	}
	if err := block(&tg.ContactsBlockRequest{ID: a.input(b.self.Peer())}); err != nil {
		t.Fatal(err)
	}
	hears(tablet, func(u *tg.UpdatePeerBlocked) bool { return u.Blocked })
	if !must(tablet.UsersGetFullUser(ctx(), tablet.inputUser(b)))(t).FullUser.Blocked {
		t.Error("the other device does not see the block")
	}
	// What the blocked one does comes to nothing, and he is not told.
	b.say(a.self.Peer(), "can you hear me")
	must(b.MessagesSetTyping(ctx(), &tg.MessagesSetTypingRequest{
		Peer: b.input(a.self.Peer()), Action: &tg.SendMessageTypingAction{},
	}))(t)
	must(b.MessagesSendReaction(ctx(), reaction(b.input(a.self.Peer()), id, "👍")))(t)
	must(b.MessagesUpdatePinnedMessage(ctx(), &tg.MessagesUpdatePinnedMessageRequest{
		Peer: b.input(a.self.Peer()), ID: id,
	}))(t)
	silent(a.client, func(tg.UpdateClass) bool { return true })
	_, err := a.MessagesSendMessage(ctx(), &tg.MessagesSendMessageRequest{
		Peer: a.input(b.self.Peer()), Message: "no", RandomID: random(),
	})
	refused(t, "writing to whom one blocked", err, "YOU_BLOCKED_USER")
	must(a.AccountUpdateStatus(ctx(), false))(t)
	silent(b.client, func(u *tg.UpdateUserStatus) bool {
		_, online := u.Status.(*tg.UserStatusOnline)
		return online
	})
	// In a group both are members like others.
	b.say(room, "still here")
	hears(a.client, func(u *tg.UpdateNewMessage) bool { return true })
	for i := range 3 {
		p := w.join(fmt.Sprint("Member ", i+3))
		if err := block(&tg.ContactsBlockRequest{ID: a.input(p.self.Peer())}); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Second)
	}
	page := must(a.ContactsGetBlocked(ctx(), &tg.ContactsGetBlockedRequest{
		Offset: 1, Limit: 2,
	}))(t).(*tg.ContactsBlockedSlice)
	if page.Count != 4 || len(page.Blocked) != 2 || len(page.Users) != 2 {
		t.Errorf("a page of the blocked: %+v", page)
	}
	all := must(a.ContactsGetBlocked(ctx(), &tg.ContactsGetBlockedRequest{Limit: 100}))(t)
	if n := len(all.GetBlocked()); n != 4 {
		t.Errorf("%d are blocked", n)
	}
	if n := len(must(b.ContactsGetBlocked(ctx(), &tg.ContactsGetBlockedRequest{
		Limit: 100,
	}))(t).GetBlocked()); n != 0 {
		t.Errorf("%d are blocked by somebody else", n)
	}
	must(a.ContactsUnblock(ctx(), &tg.ContactsUnblockRequest{ID: a.input(b.self.Peer())}))(t)
	hears(tablet, func(u *tg.UpdatePeerBlocked) bool { return !u.Blocked })
	forget(a.client)
	b.say(a.self.Peer(), "again")
	hears(a.client, func(u *tg.UpdateNewMessage) bool { return true })
	refused(t, "blocking oneself", block(&tg.ContactsBlockRequest{ID: &tg.InputPeerSelf{}}),
		"CONTACT_ID_INVALID")
	refused(t, "blocking a stranger", block(&tg.ContactsBlockRequest{
		ID: &tg.InputPeerUser{UserID: int64(b.self), AccessHash: 1},
	}), "PEER_ID_INVALID")
	refused(t, "hiding stories, which do not exist", block(&tg.ContactsBlockRequest{
		ID: a.input(b.self.Peer()), MyStoriesFrom: true,
	}), "METHOD_INVALID")
	b.say(a.self.Peer(), "not blocked by that")
	hears(a.client, func(u *tg.UpdateNewMessage) bool { return true })
}

func reaction(peer tg.InputPeerClass, id int, emoji ...string) *tg.MessagesSendReactionRequest {
	in := &tg.MessagesSendReactionRequest{Peer: peer, MsgID: id}
	var list []tg.ReactionClass
	for _, e := range emoji {
		list = append(list, &tg.ReactionEmoji{Emoticon: e})
	}
	in.SetReaction(list)
	return in
}
