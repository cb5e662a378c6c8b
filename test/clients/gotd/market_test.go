package gotd

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/telegram/downloader"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"parley/internal/chat/account"
	"parley/internal/config"
	"parley/internal/node/nodetest"
	"parley/internal/safety/country"
	"parley/internal/safety/market"
)

// inhabitant is somebody with a number of a country, who reads his codes in a file.
type inhabitant struct {
	newcomer
	codes string
}

func (n inhabitant) Code(context.Context, *tg.AuthSentCode) (code string, err error) {
	file, err := os.ReadFile(n.codes)
	for s := bufio.NewScanner(bytes.NewReader(file)); err == nil && s.Scan(); {
		var x struct{ Phone, Code string }
		if err = json.Unmarshal(s.Bytes(), &x); x.Phone == n.number {
			code = x.Code
		}
	}
	return code, err
}

// TestMarketsOfCountries walks a country through all its states with a client: who is there is told
// of each, with the reason, and gets his data; who is refused reads why in his language, before he
// is logged in; and when the country is open again everybody gets in.
func TestMarketsOfCountries(t *testing.T) {
	codes := filepath.Join(t.TempDir(), "codes")
	s := nodetest.Start(t, func(c *config.Config) { c.Codes.Sender, c.Codes.File = "file", codes })
	german := func(number string) auth.UserAuthenticator {
		return inhabitant{newcomer{number: number}, codes}
	}
	const known, fresh = "4915112345678", "4915112345679"
	there := dial(t, s, new(session.StorageMemory), nil)
	there.enter(german(known))
	is := func(state market.State, words string) {
		t.Helper()
		ctx := context.Background()
		err := s.Node.Markets.Set(ctx, country.Code("DE"), market.Change{
			State: state, Why: "Reason of " + string(state) + ".", By: "board",
		})
		there.must(err)
		_, err = s.Node.Markets.TellAll(ctx)
		there.must(err)
		expect(there, "the news", func(u *tg.UpdateNewMessage) bool {
			m, ok := u.Message.(*tg.Message)
			return ok && strings.Contains(m.Message, words) &&
				strings.Contains(m.Message, "Reason of "+string(state)+".") &&
				strings.Contains(m.Message, "/export") && strings.Contains(m.Message, "/proxy")
		})
	}
	refused := func(number, reason, words string) {
		t.Helper()
		device := dial(t, s, new(session.StorageMemory), func(o *telegram.Options) {
			o.Device.SystemLangCode, o.Device.LangCode = "de-DE", "de"
		})
		err := device.client.Auth().IfNecessary(device.ctx,
			auth.NewFlow(german(number), auth.SendCodeOptions{}))
		if !tgerr.Is(err, reason) {
			t.Errorf("%s: %v, want %s", number, err, reason)
		}
		u := expect(device, "the reason", func(*tg.UpdateServiceNotification) bool { return true })
		if !u.Popup || u.Type != reason || !strings.Contains(u.Message, words) ||
			!strings.Contains(u.Message, "Deutschland") ||
			!strings.Contains(u.Message, "/markets") {
			t.Errorf("what is said: %+v", u)
		}
		device.stop()
	}
	is(market.Restricted, "takes nobody new")
	refused(fresh, "COUNTRY_SIGNUP_CLOSED", "Reason of restricted.")
	is(market.Leaving, "is leaving")
	refused(fresh, "COUNTRY_SIGNUP_CLOSED", "nimmt zurzeit niemanden neu auf")
	is(market.Left, "has left")
	refused(fresh, "COUNTRY_NOT_SERVED", "Der Dienst hat")
	refused(known, "COUNTRY_NOT_SERVED", "Reason of left.")
	fetchExport(t, there)
	is(market.Open, "is open in")
	for _, number := range []string{known, fresh} {
		back := dial(t, s, new(session.StorageMemory), nil)
		back.enter(german(number))
		back.stop()
	}
}

// fetchExport asks for a copy of somebody's data and downloads it.
func fetchExport(t *testing.T, p *person) {
	t.Helper()
	list, err := p.MessagesGetDialogs(p.ctx, &tg.MessagesGetDialogsRequest{
		OffsetPeer: &tg.InputPeerEmpty{}, Limit: 10,
	})
	p.must(err)
	to := &tg.InputPeerUser{}
	for _, u := range list.(*tg.MessagesDialogs).Users {
		if u, ok := u.(*tg.User); ok && u.ID == int64(account.ServiceUser) {
			to = u.AsInputPeer()
		}
	}
	_, err = p.MessagesSendMessage(p.ctx, &tg.MessagesSendMessageRequest{
		Peer: to, Message: "/export", RandomID: next(),
	})
	p.must(err)
	u := expect(p, "the export", func(u *tg.UpdateNewMessage) bool {
		m, ok := u.Message.(*tg.Message)
		return ok && m.Media != nil
	})
	doc := u.Message.(*tg.Message).Media.(*tg.MessageMediaDocument).Document.(*tg.Document)
	var file bytes.Buffer
	_, err = downloader.NewDownloader().
		Download(p.Client, doc.AsInputDocumentFileLocation("")).Stream(p.ctx, &file)
	p.must(err)
	z, err := zip.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	p.must(err)
	b, err := fs.ReadFile(z, "result.json")
	p.must(err)
	if !bytes.Contains(b, []byte("+4915112345678")) {
		t.Errorf("a copy without its owner: %.200q", b)
	}
}
