package personal_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/safety/personal"
	"parley/internal/safety/policy"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

var (
	created = regexp.MustCompile(`(?s)create table (\w+) \((.*?)\n\);`)
	added   = regexp.MustCompile(`(?m)^alter table (\w+) add (?:column )?(\w+)`)
	dropped = regexp.MustCompile(`(?m)^drop table (\w+);`)
	column  = regexp.MustCompile(`(?m)^\s+(\w+)\s+(?:bigint|text|bytea)\b`)
)

// columns are all columns of all tables, as the migrations make them.
func columns(t *testing.T) map[string][]string {
	t.Helper()
	out := make(map[string][]string)
	files := os.DirFS(filepath.Join("..", "..", "store"))
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		for _, m := range created.FindAllStringSubmatch(up, -1) {
			for _, c := range column.FindAllStringSubmatch(m[2], -1) {
				out[m[1]] = append(out[m[1]], c[1])
			}
		}
		for _, m := range added.FindAllStringSubmatch(up, -1) {
			out[m[1]] = append(out[m[1]], m[2])
		}
		for _, m := range dropped.FindAllStringSubmatch(up, -1) {
			delete(out, m[1])
		}
	}
	for _, v := range []any{message.Content{}, message.Media{}} {
		x := reflect.TypeOf(v)
		for i := range x.NumField() {
			out[x.String()] = append(out[x.String()], x.Field(i).Name)
		}
	}
	return out
}

// TestEveryColumnIsListed fails for a stored column of which nobody has said under which class of
// data it is given, or why it is not.
func TestEveryColumnIsListed(t *testing.T) {
	list, err := personal.Columns()
	if err != nil {
		t.Fatal(err)
	}
	there := columns(t)
	if len(there) < 80 {
		t.Fatalf("%d tables are not all", len(there))
	}
	said := make(map[string]bool)
	for _, c := range list {
		said[c.Table+"."+c.Name] = true
		if c.Name == "*" && c.Class != "" {
			t.Errorf("%s: all columns are given as %s; each has to be named", c.Table, c.Class)
		}
		if c.Name != "*" && !slices.Contains(there[c.Table], c.Name) || there[c.Table] == nil {
			t.Errorf("stored.tsv: there is no %s.%s", c.Table, c.Name)
		}
	}
	for table, names := range there {
		for _, name := range names {
			if !said[table+"."+name] && !said[table+".*"] {
				t.Errorf("%s.%s is stored: say in stored.tsv to which class of data it belongs, "+
					"or why it is given to nobody", table, name)
			}
		}
	}
}

// From and to are the time that the tests ask for.
const (
	from = int64(1_700_000_000)
	to   = int64(1_900_000_000)
)

type world struct{ *safetytest.World }

// start has a person with all that is stored of somebody, and somebody who writes to him.
func start(t testing.TB) *world {
	t.Helper()
	w := &world{safetytest.New(t, storetest.SQLite(t))}
	a := safetytest.Author
	w.Update(a.Peer(), func(tx *store.Tx) error {
		errs := []error{
			tx.PutUser(store.User{
				ID: a, Phone: "4930901820", FirstName: "First", LastName: "Last", Username: "name",
				About: "about me", Created: from - 5, Seen: from, Lang: "en",
			}),
			tx.PutPassword(store.Password{
				User: a, Email: "owner@example.org", Hint: "the dog's name",
				PendingEmail: "x@y.example",
				Salt1:        []byte("salt"), Salt2: []byte("salt"), Verifier: []byte("verifier"),
			}),
			tx.PutContact(store.Contact{
				User: a, Contact: safetytest.Reader, Phone: "4930", FirstName: "Friend",
				LastName: "Of", Created: from + 1,
			}),
			tx.PutContact(store.Contact{
				User: a, Contact: safetytest.Reporter, Phone: "4931", Created: from - 1,
			}),
			tx.PutMedia(store.Media{
				ID: 77, Kind: 1, Owner: a, Date: from + 3, Size: 5, Digest: []byte{1, 2},
				Mime: "image/jpeg", Body: []byte{1},
			}),
		}
		errs = append(errs, tx.PutDialog(store.Dialog{User: a, Peer: safetytest.Channel}))
		for _, l := range []store.Authorization{
			{KeyID: 11, Created: from + 2, Active: from + 9, IP: "192.0.2.1", Device: "Phone",
				System: "OS", App: "App 1", Hash: 5, APIID: 6},
			{KeyID: 12, Created: from + 1, Active: to + 9, IP: "192.0.2.2", Device: "Laptop"},
			{KeyID: 13, Created: from + 3, IP: "192.0.2.3", Parent: 12},
			{KeyID: 14, Created: from - 1, IP: "192.0.2.4"},
		} {
			l.User = a
			errs = append(errs, tx.PutAuthorization(l))
		}
		return errors.Join(errs...)
	})
	w.Update(safetytest.Channel, func(tx *store.Tx) error {
		return tx.PutMember(store.Member{
			Peer: safetytest.Channel, User: a, Role: store.Creator, Date: from + 4,
		})
	})
	w.say(a, safetytest.Reader.Peer(), message.Content{
		Text: "mine", Media: &message.Media{Kind: message.Photo, ID: 77, Text: "caption"},
	})
	w.say(safetytest.Reader, a.Peer(), message.Content{Text: "theirs"})
	return w
}

func (w *world) say(by ids.UserID, to ids.Peer, c message.Content) {
	w.Helper()
	_, err := w.Message.Send(w.Context(), message.Outgoing{
		From: by, To: to, Random: int64(len(c.Text)) + int64(by), Content: c,
	})
	if err != nil {
		w.Fatal(err)
	}
	if err := w.Courier.Settled(w.Context(), by.Peer()); err != nil {
		w.Fatal(err)
	}
}

func (w *world) collect(q personal.Query) (f personal.Found, err error) {
	w.Helper()
	q.Person = safetytest.Author
	err = w.Store.View(w.Context(), func(r *store.Reader) error {
		f, err = personal.Collect(r, q)
		return err
	})
	return f, err
}

// TestOnlyWhatIsAskedFor reads each class alone: nothing of another class, no field that is not
// listed, nothing of another time, nothing that others wrote, no secret.
func TestOnlyWhatIsAskedFor(t *testing.T) {
	w := start(t)
	got := make(map[string]bool)
	for _, class := range policy.AllData() {
		f, err := w.collect(personal.Query{Classes: []policy.Data{class}, From: from, To: to})
		if err != nil {
			t.Fatalf("%s: %v", class, err)
		}
		for _, x := range f.Records {
			if x.Class != class {
				t.Errorf("asked for %s, got %+v", class, x)
			}
			if x.At != 0 && (x.At < from || x.At > to) {
				t.Errorf("%s: of another time: %+v", class, x)
			}
			for _, v := range x.Fields {
				got[string(class)+" "+x.Of+"."+v.Name] = true
			}
		}
		text := fmt.Sprint(f.Records)
		for _, never := range []string{
			"verifier", "salt", "dog", "x@y", "theirs", "about me", "192.0.2.2", "192.0.2.3",
			"192.0.2.4", "4931",
		} {
			if strings.Contains(text, never) {
				t.Errorf("%s: %q is among %s", class, never, text)
			}
		}
	}
	list, err := personal.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if c.Class == "" || strings.HasPrefix(c.Table, "message.") ||
			c.Name == "edited" || c.Name == "contact_id" {
			continue
		}
		key := fmt.Sprintf("%s %s.%s", c.Class, c.Table, c.Name)
		switch {
		case c.Table == "chats":
			key = "contacts members.chats." + c.Name
		case c.Name == "body":
			key += ".text"
		}
		if !got[key] {
			t.Errorf("%s is listed and was not found", key)
		}
	}
}

// TestWhatIsNotThere is said, class by class.
func TestWhatIsNotThere(t *testing.T) {
	w := start(t)
	f, err := w.collect(personal.Query{Classes: policy.AllData(), From: to, To: to + 1})
	if err != nil {
		t.Fatal(err)
	}
	want := map[policy.Data]personal.Lack{
		policy.LastLogin: personal.NoneHeld, policy.Logins: personal.NoneHeld,
		policy.Contacts: personal.NoneHeld, policy.Messages: personal.NoneHeld,
		policy.Files: personal.NoneHeld, policy.Secret: personal.Unreadable,
		policy.Password: personal.Never, policy.Location: personal.NotKept,
	}
	if !reflect.DeepEqual(f.Lacks, want) {
		t.Errorf("%v", f.Lacks)
	}
	err = w.Store.View(t.Context(), func(r *store.Reader) error {
		_, err := personal.Collect(r, personal.Query{Person: 99, Classes: policy.AllData()})
		return err
	})
	if !store.IsNotFound(err) {
		t.Errorf("of nobody: %v", err)
	}
}

// TestManyMessages gives out more messages than are read together, each once and no other.
func TestManyMessages(t *testing.T) {
	w := start(t)
	const many = 450
	a := safetytest.Author
	w.Update(a.Peer(), func(tx *store.Tx) error {
		for i := range int64(many + 2) {
			body, err := message.Content{Text: fmt.Sprint("n", i)}.Encode()
			if err != nil {
				return err
			}
			m := store.Message{
				Box: a.Peer(), Peer: safetytest.Reader.Peer(), From: a.Peer(), Date: to - many + i,
				Origin: a.Peer(), Nonce: 1<<40 + i, Flags: store.Out, Body: body,
			}
			if _, err := tx.AddMessage(&m, 1, func(int64) []byte { return nil }); err != nil {
				return err
			}
		}
		return nil
	})
	f, err := w.collect(personal.Query{
		Classes: []policy.Data{policy.Messages}, From: to - many, To: to,
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[int64]bool)
	for _, x := range f.Records {
		seen[x.At] = true
	}
	if len(f.Records) != many+1 || len(seen) != many+1 {
		t.Errorf("%d records of %d moments, want %d", len(f.Records), len(seen), many+1)
	}
}
