package mailroom

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

	"parley/internal/blob"
	"parley/internal/safety/instrument"
	"parley/internal/store"
)

// Mail is a mail that came in, for people of the staff to read.
type Mail struct {
	// Agency is the one about whose order it is, 0 for nobody known.
	Agency, ID int64
	// At and Owed are in Unix seconds: when it came, and when its sender is told something next, 0
	// for never. Tries is how often that failed.
	At, Owed, Tries int64
	// Door is where it is now, Outcome what became of it.
	Door    instrument.Door
	Outcome Outcome
	// From and Name are who it says to be from, Subject what it says to be about.
	From, Name, Subject string
	Lang                string
	// Digest is that of the mail as it came, Size its bytes.
	Digest string
	Size   int64
	// Signs are what was noticed of how it came, Lost how many parts could not be read.
	Signs []string
	Lost  int
	// Orders are those that came with it, Adds the one that it only adds to, 0 for none.
	Orders []int64
	Adds   int64
	// Asked is the inquiry that it became.
	Asked Asked
	// Before is the mail whose answer it answers, 0 for none.
	Before int64
	// Letters are what its sender was told, Acts what people did with it, both the first first.
	Letters []Letter
	Acts    []Did
}

// Filter chooses mails: a door, an outcome, or both; the zero filter chooses all.
type Filter struct {
	Door    instrument.Door
	Outcome Outcome
}

// mail reads a row.
func (s *Service) mail(m store.ArrivedMail) (Mail, error) {
	who, k, err := s.open(m)
	if err != nil {
		return Mail{}, err
	}
	out := Mail{
		Agency: m.Agency, ID: m.ID, At: m.At, Owed: m.Due, Tries: m.Tries,
		Door: instrument.Door(m.Door), Outcome: Outcome(m.Outcome), From: who.Address,
		Name: who.Name, Subject: who.Subject, Lang: k.Lang, Digest: m.Digest, Size: m.Size,
		Signs: k.Signs, Lost: k.Lost, Before: k.Before, Asked: k.Asked,
		Letters: k.Letters, Acts: k.Acts,
	}
	for _, x := range k.About {
		if x.Others {
			out.Adds = x.ID
			continue
		}
		out.Orders = append(out.Orders, x.ID)
	}
	return out, nil
}

// List returns up to limit mails that came before a place, the last ones first. The place is time
// and id of the last one seen.
func (s *Service) List(
	r *store.Reader, f Filter, at, id int64, limit int,
) (out []Mail, err error) {
	list, err := r.ArrivedMails(
		store.ArrivedFilter{Door: string(f.Door), Outcome: string(f.Outcome)}, at, id, limit)
	if err != nil {
		return nil, err
	}
	for _, row := range list {
		m, err := s.mail(row)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// Of returns a mail. store.ErrNotFound.
func (s *Service) Of(r *store.Reader, agency, id int64) (Mail, error) {
	row, err := r.ArrivedMail(agency, id)
	if err != nil {
		return Mail{}, err
	}
	return s.mail(row)
}

// Part is a paper that came with a mail, in the blob store.
type Part struct {
	Name, Mime string
	Digest     blob.Digest
	Size       int64
}

// Content is what a mail says: its text as characters alone, and its papers, which nobody opens but
// safety/attachment. The first paper is the whole mail as it came.
type Content struct {
	Text  string
	Parts []Part
}

// Content reads what a mail says.
func (s *Service) Content(ctx context.Context, m Mail) (Content, error) {
	b, err := s.whole(ctx, m.Digest, m.Size)
	if err != nil {
		return Content{}, err
	}
	read, err := parse(b)
	if err != nil {
		return Content{}, err
	}
	out := Content{Text: read.text, Parts: []Part{partOf("mail.eml", "message/rfc822", b)}}
	for _, p := range read.parts {
		out.Parts = append(out.Parts, partOf(p.name, p.mime, p.body))
	}
	return out, nil
}

func partOf(name, mime string, b []byte) Part {
	return Part{Name: name, Mime: mime, Digest: sha256.Sum256(b), Size: int64(len(b))}
}

// whole is a mail as it came.
func (s *Service) whole(ctx context.Context, digest string, size int64) ([]byte, error) {
	d, err := blob.ParseDigest(digest)
	if err != nil {
		return nil, fmt.Errorf("mailroom: %w", err)
	}
	b := make([]byte, size)
	if n, err := s.Papers.ReadAt(ctx, d, b, 0); n < len(b) {
		return nil, fmt.Errorf("mailroom: mail: %w", err)
	}
	if sum := sha256.Sum256(b); !bytes.Equal(sum[:], d[:]) {
		return nil, fmt.Errorf("mailroom: mail: %w", blob.ErrDigest)
	}
	return b, nil
}
