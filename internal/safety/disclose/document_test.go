package disclose_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"parley/internal/safety/disclose"
	"parley/internal/store/storetest"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/verify"
)

// wrote writes a file of the operator's rules.
func wrote(t *testing.T, dir, at, text string) {
	t.Helper()
	at = filepath.Join(dir, filepath.FromSlash(at))
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// published are the entries of documents in the log.
func (r *room) published() (out []entry.Entry) {
	r.Helper()
	size, err := r.log.Size(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	err = verify.Each(r.Context(), r.log.Source(), 0, size, func(_ int64, raw []byte) error {
		e, err := entry.Parse(raw)
		if err == nil && e.Kind == entry.Publication {
			out = append(out, e)
		}
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	return out
}

// put publishes the rules of a directory.
func (r *room) put(dir string) {
	r.Helper()
	list, err := disclose.Rules(dir)
	if err != nil {
		r.Fatal(err)
	}
	if err := r.daily.Put(r.Context(), list); err != nil {
		r.Fatal(err)
	}
}

// TestDocumentsArePublishedOnce: each version has one entry, also over a restart; a file that was
// changed is another one, and the first stays; daily reports go on beside them.
func TestDocumentsArePublishedOnce(t *testing.T) {
	r := newRoom(t, storetest.SQLite(t))
	dir := t.TempDir()
	wrote(t, dir, "terms/2026-01-01.en.txt", "Be kind.\n")
	wrote(t, dir, "terms/2026-01-01.de.txt", "Seid nett.\n")
	r.put(dir)
	r.put(dir)
	r.stop()
	r.start()
	r.put(dir)
	if got := r.published(); len(got) != 2 || got[0].Lang != "DE" || got[1].Subject != "terms" {
		t.Fatalf("%+v", got)
	}
	wrote(t, dir, "terms/2026-01-01.en.txt", "Be very kind.\n")
	wrote(t, dir, "terms/2026-02-01.en.txt", "Be kinder.\n")
	r.put(dir)
	got := r.published()
	if len(got) != 4 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []string{"Seid nett.\n", "Be kind.\n", "Be very kind.\n", "Be kinder.\n"} {
		b, err := verify.Document(r.Context(), r.log.Source(), got[i])
		if err != nil || string(b) != want {
			t.Errorf("document %d is %q, not %q: %v", i, b, want, err)
		}
	}
	r.clock.Advance(24 * 60 * 60 * 1e9)
	if err := r.daily.Publish(r.Context()); err != nil {
		t.Fatal(err)
	}
	if len(r.told) != 1 {
		t.Errorf("reports of %v", r.told)
	}
}

// TestWrongRules: a file that is not named as it must be, or is no text, is named.
func TestWrongRules(t *testing.T) {
	for _, at := range []string{
		"terms.txt", "terms/2026-01-01.txt", "terms/2026-02-30.en.txt", "terms/new.en.txt",
		"canary/2026-01-01.en.txt", "Terms/2026-01-01.en.txt", "terms/2026-01-01.EN.txt",
	} {
		dir := t.TempDir()
		wrote(t, dir, at, "x")
		if _, err := disclose.Rules(dir); !errors.Is(err, disclose.ErrDocument) {
			t.Errorf("%s: %v", at, err)
		}
	}
	dir := t.TempDir()
	wrote(t, dir, "terms/2026-01-01.en.txt", "\xff")
	if _, err := disclose.Rules(dir); !errors.Is(err, disclose.ErrDocument) {
		t.Errorf("no UTF-8: %v", err)
	}
}

// TestFormsArePublished: a form is published under its name and period; one that was changed is
// another document of the same; what is not named as a form is refused.
func TestFormsArePublished(t *testing.T) {
	r := newRoom(t, storetest.SQLite(t))
	dir := t.TempDir()
	put := func() {
		t.Helper()
		list, err := disclose.Forms(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.daily.Put(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	wrote(t, dir, "eu-2024-2835/2026-01-01.2026-12-31.zip", "PK\x00\xff")
	put()
	put()
	wrote(t, dir, "eu-2024-2835/2026-01-01.2026-12-31.zip", "PK\x00\xfe")
	put()
	got := r.published()
	if len(got) != 2 || got[0].Subject != "form-eu-2024-2835-zip" ||
		got[1].Subject != got[0].Subject || got[1].Commitment == got[0].Commitment ||
		got[0].Day != "2026-01-01" || got[0].Ends != "2026-12-31" {
		t.Fatalf("%+v", got)
	}
	for _, name := range []string{
		"tco-7/2026.json", "tco-7/2026-01-01.2026-12-31.exe", "tco-7/2026-02-30.2026-12-31.csv",
		"tco-7/2026-12-31.2026-01-01.csv", "TCO/2026-01-01.2026-12-31.csv", "file.csv",
	} {
		wrong := t.TempDir()
		wrote(t, wrong, name, "")
		if _, err := disclose.Forms(wrong); !errors.Is(err, disclose.ErrDocument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wrote(t, dir, "form-x/2026-01-01.en.txt", "")
	if _, err := disclose.Rules(dir); !errors.Is(err, disclose.ErrDocument) {
		t.Errorf("rules named as a form: %v", err)
	}
}
