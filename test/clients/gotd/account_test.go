package gotd

import (
	"context"
	"errors"
	"testing"

	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/telegram/auth/qrlogin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"parley/internal/node/nodetest"
)

func TestPassword(t *testing.T) {
	s := nodetest.Start(t, nil)
	a := login(t, s, 1)
	a.must(a.client.Auth().UpdatePassword(a.ctx, "correct horse", auth.UpdatePasswordOptions{}))

	second := dial(t, s, new(session.StorageMemory), nil)
	flow := auth.NewFlow(newcomer{nodetest.Phone(1), "wrong horse"}, auth.SendCodeOptions{})
	err := second.client.Auth().IfNecessary(second.ctx, flow)
	if !errors.Is(err, auth.ErrPasswordInvalid) && !tgerr.Is(err, "PASSWORD_HASH_INVALID") {
		t.Fatalf("a wrong password: %v", err)
	}
	if _, err := second.client.Self(second.ctx); !tgerr.Is(err, "SESSION_PASSWORD_NEEDED") {
		t.Fatalf("half logged in: %v", err)
	}
	_, err = second.client.Auth().Password(second.ctx, "correct horse")
	second.must(err)
	self, err := second.client.Self(second.ctx)
	second.must(err)
	if self.ID != a.self.ID {
		t.Errorf("logged in as %d, want %d", self.ID, a.self.ID)
	}

	a.must(a.client.Auth().UpdatePassword(a.ctx, "battery staple", auth.UpdatePasswordOptions{
		Password: func(context.Context) (string, error) { return "correct horse", nil },
	}))
	third := dial(t, s, new(session.StorageMemory), nil)
	third.enter(newcomer{nodetest.Phone(1), "battery staple"})
}

func TestLoginByQRCode(t *testing.T) {
	s := nodetest.Start(t, nil)
	a := login(t, s, 1)
	device := dial(t, s, new(session.StorageMemory), nil)
	qr := device.client.QR()
	token, err := qr.Export(device.ctx)
	device.must(err)
	_, err = qrlogin.AcceptQR(a.ctx, a.Client, token)
	a.must(err)
	expect(device, "the consent", func(*tg.UpdateLoginToken) bool { return true })
	_, err = qr.Import(device.ctx)
	device.must(err)
	self, err := device.client.Self(device.ctx)
	device.must(err)
	if self.ID != a.self.ID {
		t.Errorf("logged in as %d, want %d", self.ID, a.self.ID)
	}
	list, err := a.AccountGetAuthorizations(a.ctx)
	a.must(err)
	if len(list.Authorizations) != 2 {
		t.Errorf("%d devices are listed, want 2", len(list.Authorizations))
	}
}

func TestContactsAndPrivacy(t *testing.T) {
	s := nodetest.Start(t, nil)
	a, b := login(t, s, 1), login(t, s, 2)
	meet(a, b)
	of := func() *tg.User {
		t.Helper()
		list, err := b.UsersGetUsers(b.ctx, []tg.InputUserClass{
			&tg.InputUser{UserID: a.self.ID, AccessHash: friendHash(b, a)},
		})
		b.must(err)
		return list[0].(*tg.User)
	}
	if u := of(); u.Phone != a.self.Phone || !u.MutualContact {
		t.Errorf("a as b sees him: phone %q, mutual contact %v", u.Phone, u.MutualContact)
	}
	_, err := a.AccountSetPrivacy(a.ctx, &tg.AccountSetPrivacyRequest{
		Key:   &tg.InputPrivacyKeyStatusTimestamp{},
		Rules: []tg.InputPrivacyRuleClass{&tg.InputPrivacyValueDisallowAll{}},
	})
	a.must(err)
	u := of()
	if _, ok := u.Status.(*tg.UserStatusRecently); !ok {
		t.Errorf("b sees a's status %T", u.Status)
	}

	list, err := a.ContactsGetContacts(a.ctx, 0)
	a.must(err)
	other := list.(*tg.ContactsContacts).Users[0].(*tg.User).AsInputPeer()
	b.say(u.AsInputPeer(), "before")
	expect(a, "the message before", func(u *tg.UpdateNewMessage) bool {
		return hasText(u.Message, "before")
	})
	_, err = a.ContactsBlock(a.ctx, &tg.ContactsBlockRequest{ID: other})
	a.must(err)
	b.say(u.AsInputPeer(), "while blocked")
	_, err = a.ContactsUnblock(a.ctx, &tg.ContactsUnblockRequest{ID: other})
	a.must(err)
	b.say(u.AsInputPeer(), "after")
	expect(a, "the message after", func(u *tg.UpdateNewMessage) bool {
		return hasText(u.Message, "after")
	})
	h, err := a.MessagesGetHistory(a.ctx, &tg.MessagesGetHistoryRequest{Peer: other, Limit: 10})
	a.must(err)
	if n := len(h.(*tg.MessagesMessages).Messages); n != 2 {
		t.Errorf("a has %d messages, want those before and after b was blocked", n)
	}
}
