package gateway

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/exchange"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
	gotdtransport "github.com/gotd/td/transport"

	"parley/internal/mtproto/session"
	"parley/internal/mtproto/transport"
)

// account is a handler that knows as much of the API as a client needs to connect.
func account(t *testing.T, w *world) {
	encode := func(v bin.Encoder) ([]byte, error) {
		var b bin.Buffer
		err := v.Encode(&b)
		return b.Buf, err
	}
	port := w.port()
	w.invoke = func(_ context.Context, s *Session, q session.Query) ([]byte, error) {
		switch id := session.Constructor(q.Body); id {
		case tg.HelpGetConfigRequestTypeID:
			if q.Init == nil || q.Layer == 0 {
				t.Errorf("a query without layer or initConnection: %+v", q)
			}
			config := &tg.Config{ThisDC: 2, Expires: int(time.Now().Unix()) + 3600}
			for dc := 1; dc <= 5; dc++ {
				config.DCOptions = append(config.DCOptions, tg.DCOption{
					ID: dc, IPAddress: "127.0.0.1", Port: port,
				})
			}
			return encode(config)
		case tg.UpdatesGetStateRequestTypeID:
			return encode(&tg.UpdatesState{Pts: 1, Date: 1})
		case tg.HelpGetNearestDCRequestTypeID:
			return encode(&tg.NearestDC{Country: "XX", ThisDC: 2, NearestDC: 2})
		case tg.UploadSaveFilePartRequestTypeID:
			return trueValue(), nil
		case tg.UploadGetFileRequestTypeID:
			return encode(&tg.UploadFile{Type: &tg.StorageFileJpeg{}, Bytes: make([]byte, 512<<10)})
		default:
			return nil, &RPCError{Code: 401, Message: "AUTH_KEY_UNREGISTERED"}
		}
	}
}

func (w *world) port() int {
	_, port, err := net.SplitHostPort(w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	n, err := net.LookupPort("tcp", port)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// updates hands a client's updates to a test.
type updates chan tg.UpdatesClass

func (u updates) Handle(_ context.Context, v tg.UpdatesClass) error {
	u <- v
	return nil
}

// memory is a client's session storage.
type memory struct {
	mu   sync.Mutex
	data []byte
}

func (m *memory) LoadSession(context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.data, nil
}

func (m *memory) StoreSession(_ context.Context, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.data = data
	return nil
}

func (w *world) gotd(r dcs.Resolver, pfs bool, stored *memory, u updates) *telegram.Client {
	return telegram.NewClient(1, "hash", telegram.Options{
		PublicKeys: []exchange.PublicKey{{RSA: &serverKey().PublicKey}},
		DC:         2,
		DCList: dcs.List{
			Options: []tg.DCOption{{ID: 2, IPAddress: "127.0.0.1", Port: w.port()}},
			Domains: map[int]string{2: "ws://" + w.addr + "/apiws"},
		},
		Resolver: r, EnablePFS: pfs, SessionStorage: stored, UpdateHandler: u,
		DialTimeout: time.Minute, ExchangeTimeout: time.Minute,
	})
}

// proxySecret is the part of a proxy secret that all of its forms share.
const proxySecret = "00112233445566778899aabbccddeeff"

// TestGotd connects an independent client over every transport that it has, with and without
// forward secrecy, twice each: with a new key and with the one that it stored.
func TestGotd(t *testing.T) {
	plain := func(p dcs.Protocol) func(*world) dcs.Resolver {
		return func(*world) dcs.Resolver { return dcs.Plain(dcs.PlainOptions{Protocol: p}) }
	}
	proxy := func(secret string) func(*world) dcs.Resolver {
		return func(w *world) dcs.Resolver {
			raw, err := hex.DecodeString(secret)
			if err != nil {
				t.Fatal(err)
			}
			r, err := dcs.MTProxy(w.addr, raw, dcs.MTProxyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
	}
	tests := map[string]struct {
		resolver func(*world) dcs.Resolver
		secret   string
		pfs      bool
	}{
		"abridged":         {resolver: plain(gotdtransport.Abridged)},
		"intermediate":     {resolver: plain(gotdtransport.Intermediate)},
		"padded":           {resolver: plain(gotdtransport.PaddedIntermediate)},
		"full":             {resolver: plain(gotdtransport.Full)},
		"intermediate PFS": {resolver: plain(gotdtransport.Intermediate), pfs: true},
		"web socket": {resolver: func(*world) dcs.Resolver {
			return dcs.Websocket(dcs.WebsocketOptions{})
		}},
		"proxy":          {resolver: proxy(proxySecret), secret: proxySecret},
		"proxy padded":   {resolver: proxy("dd" + proxySecret), secret: "dd" + proxySecret},
		"proxy fake TLS": {resolver: proxy(fakeTLSSecret), secret: fakeTLSSecret, pfs: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(o *Options) {
				if test.secret == "" {
					return
				}
				secret, err := transport.ParseSecret(test.secret)
				if err != nil {
					t.Fatal(err)
				}
				o.Secrets = append(o.Secrets, secret)
			})
			account(t, w)
			stored := &memory{}
			for range 2 {
				w.converse(t, test.resolver(w), test.pfs, stored)
			}
		})
	}
}

var fakeTLSSecret = "ee" + proxySecret + hex.EncodeToString([]byte("example.org"))

func (w *world) converse(t *testing.T, r dcs.Resolver, pfs bool, stored *memory) {
	t.Helper()
	u := make(updates, 10)
	client := w.gotd(r, pfs, stored, u)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	err := client.Run(ctx, func(ctx context.Context) error {
		api := client.API()
		if _, err := api.HelpGetNearestDC(ctx); err != nil {
			return err
		}
		if _, err := client.Self(ctx); !tgerr.Is(err, "AUTH_KEY_UNREGISTERED") {
			return err
		}
		part := make([]byte, 128<<10)
		if _, err := api.UploadSaveFilePart(ctx, &tg.UploadSaveFilePartRequest{Bytes: part}); err != nil {
			return err
		}
		file, err := api.UploadGetFile(ctx, &tg.UploadGetFileRequest{
			Location: &tg.InputDocumentFileLocation{}, Limit: 512 << 10,
		})
		if err != nil {
			return err
		}
		if got := file.(*tg.UploadFile); len(got.Bytes) != 512<<10 {
			t.Errorf("file of %d bytes", len(got.Bytes))
		}
		return w.push(ctx, pfs, u)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// push pushes an update to whoever is connected, and waits until it arrives.
func (w *world) push(ctx context.Context, pfs bool, u updates) error {
	body := binary.LittleEndian.AppendUint32(nil, tg.UpdatesTooLongTypeID)
	found := 0
	for id := range w.keys.byID {
		for _, s := range w.Sessions(id) {
			if (s.TempKeyID() != 0) != pfs || s.KeyID() != id {
				return errors.New("wrong keys")
			}
			if s.Online() {
				found++
				s.Push(session.Body{Bytes: body})
			}
		}
	}
	if found == 0 {
		return errors.New("no session")
	}
	select {
	case <-u:
		return nil
	case <-ctx.Done():
		return io.ErrNoProgress
	}
}
