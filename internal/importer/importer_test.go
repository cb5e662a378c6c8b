package importer_test

import (
	"context"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/chat/account"
	"parley/internal/chat/message"
	"parley/internal/importer"
	"parley/internal/node/nodetest"
	"parley/internal/store"
)

func TestMain(m *testing.M) { nodetest.Main(m) }

// export lays out the export of testdata with its files.
func export(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	b, err := os.ReadFile("testdata/result.json")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "result.json"), b)
	write(t, filepath.Join(dir, "files", "manifest.txt"), []byte("one ship\n"))
	if err := os.MkdirAll(filepath.Join(dir, "photos"), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "photos", "quay.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, image.NewGray(image.Rect(0, 0, 640, 480))), f.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// posts returns the imported posts, the oldest first, without the note that the channel was made.
func posts(t *testing.T, s *nodetest.Server, r *importer.Report) (out []store.Message) {
	t.Helper()
	err := s.Node.Store.View(context.Background(), func(v *store.Reader) error {
		rows, err := v.Newer(r.Peer, r.Peer, 1, 1<<31-1, 100)
		for _, m := range rows {
			if !m.Flags.Has(store.Service) {
				out = append(out, m)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func content(t *testing.T, m store.Message) message.Content {
	t.Helper()
	c, err := message.DecodeContent(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestImport(t *testing.T) {
	s := nodetest.Start(t, nil)
	dir := export(t)
	im := s.Node.Importer(account.ServiceUser)
	r, err := im.Import(context.Background(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if r.Imported != 7 || r.Service != 1 || r.Known != 0 || r.Username != "harbour_notes" {
		t.Errorf("imported %d, service %d, known %d, @%s", r.Imported, r.Service, r.Known, r.Username)
	}
	faults := map[int64]string{}
	for _, f := range append(r.Damaged, r.Lacking...) {
		faults[f.Offset], faults[f.ID] = f.Reason, f.Reason
		if f.Index == 0 || f.Offset == 0 {
			t.Errorf("a fault without its place: %+v", f)
		}
	}
	if len(r.Damaged) != 2 || len(r.Lacking) != 2 {
		t.Errorf("damaged %+v, lacking %+v", r.Damaged, r.Lacking)
	}
	if !strings.Contains(faults[6], "time") || !strings.Contains(faults[8], "not included") ||
		!strings.Contains(faults[9], "file") {
		t.Errorf("reasons: %v", faults)
	}

	rows := posts(t, s, r)
	if len(rows) != 7 {
		t.Fatalf("%d posts", len(rows))
	}
	first := content(t, rows[0])
	if first.Text != "The first ship 🚢 is in, see the list" || rows[0].Date != 1704067260 {
		t.Errorf("first post: %q at %d", first.Text, rows[0].Date)
	}
	if len(first.Entities) != 2 || first.Entities[0].Kind != message.Bold ||
		first.Entities[1].Text != "https://example.org/list" || first.Entities[1].Offset != 29 {
		t.Errorf("markup of the first post: %+v", first.Entities)
	}
	if rows[1].ReplyTo != rows[0].ID || rows[1].Edited != 1704067400 {
		t.Errorf("the second post answers %d and was edited at %d", rows[1].ReplyTo, rows[1].Edited)
	}
	if m := content(t, rows[2]).Media; m == nil || m.Kind != message.Photo {
		t.Errorf("the third post carries %+v", m)
	}
	if m := content(t, rows[3]).Media; m == nil || m.Kind != message.Document {
		t.Errorf("the fourth post carries %+v", m)
	}
	if rows[6].ReplyTo != rows[1].ID {
		t.Errorf("the last post answers %d, want %d", rows[6].ReplyTo, rows[1].ID)
	}
}

func TestImportTwiceAddsNothing(t *testing.T) {
	s := nodetest.Start(t, nil)
	dir := export(t)
	im := s.Node.Importer(account.ServiceUser)
	first, err := im.Import(context.Background(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	again, err := im.Import(context.Background(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if again.Imported != 0 || again.Known != first.Imported || again.Peer != first.Peer {
		t.Errorf("again: %d imported, %d known, chat %d after %d", again.Imported, again.Known,
			again.Peer, first.Peer)
	}
	if n := len(posts(t, s, again)); n != first.Imported {
		t.Errorf("%d posts after importing twice, want %d", n, first.Imported)
	}
}

func TestInterruptedImportIsCompleted(t *testing.T) {
	s := nodetest.Start(t, nil)
	dir := export(t)
	ctx, cancel := context.WithCancel(context.Background())
	im := s.Node.Importer(account.ServiceUser)
	im.Progress = func(met int) {
		if met == 3 {
			cancel()
		}
	}
	if _, err := im.Import(ctx, dir, ""); !errors.Is(err, context.Canceled) {
		t.Fatalf("the interrupted import ended with %v", err)
	}
	im.Progress = nil
	r, err := im.Import(context.Background(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if r.Known == 0 || r.Known+r.Imported != 7 || len(posts(t, s, r)) != 7 {
		t.Errorf("known %d, imported %d, posts %d", r.Known, r.Imported, len(posts(t, s, r)))
	}
}

func TestTruncatedExportKeepsWhatIsWhole(t *testing.T) {
	s := nodetest.Start(t, nil)
	dir := export(t)
	name := filepath.Join(dir, "result.json")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	write(t, name, b[:strings.Index(string(b), "The quay")])
	r, err := s.Node.Importer(account.ServiceUser).Import(context.Background(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if r.Imported != 2 || len(r.Damaged) != 1 || !strings.Contains(r.Damaged[0].Reason, "ends") {
		t.Errorf("imported %d, damaged %+v", r.Imported, r.Damaged)
	}
}

func TestNoExport(t *testing.T) {
	s := nodetest.Start(t, nil)
	im := s.Node.Importer(account.ServiceUser)
	empty := t.TempDir()
	if _, err := im.Import(context.Background(), empty, ""); !errors.Is(err, importer.ErrExport) {
		t.Errorf("an empty folder: %v", err)
	}
	write(t, filepath.Join(empty, "result.json"), []byte(`{"name": "x"}`))
	if _, err := im.Import(context.Background(), empty, ""); !errors.Is(err, importer.ErrExport) {
		t.Errorf("a file without messages: %v", err)
	}
}

func FuzzExport(f *testing.F) {
	b, err := os.ReadFile("testdata/result.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"messages":[{"id":1,"text":["a",{"type":"bold","text":"\ud800"}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) { importer.Walk(b) })
}
