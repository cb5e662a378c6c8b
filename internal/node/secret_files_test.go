package node

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/blob"
	"parley/internal/limit"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/evidence"
	"parley/internal/store"
)

// fetchEncrypted reads an encrypted file whole.
func (d *client) fetchEncrypted(f *tg.EncryptedFile) ([]byte, error) {
	got, err := d.UploadGetFile(ctx(), &tg.UploadGetFileRequest{
		Location: &tg.InputEncryptedFileLocation{ID: f.ID, AccessHash: f.AccessHash},
		Limit:    limit.DownloadPart,
	})
	if err != nil {
		return nil, err
	}
	return got.(*tg.UploadFile).Bytes, nil
}

// sendFile sends a file in a secret chat.
func (x *talk) sendFile(
	d *client, to tg.InputEncryptedChat, random int64, f tg.InputEncryptedFileClass,
) (*tg.EncryptedFile, error) {
	sent, err := d.MessagesSendEncryptedFile(ctx(), &tg.MessagesSendEncryptedFileRequest{
		Peer: to, RandomID: random, Data: cipher(1), File: f,
	})
	x.w.settle()
	if err != nil {
		return nil, err
	}
	return sent.(*tg.MessagesSentEncryptedFile).File.(*tg.EncryptedFile), nil
}

// digest is the blob of an encrypted file as a device may fetch it.
func (x *talk) digest(d *client, id int64) blob.Digest {
	x.Helper()
	var f store.SecretFile
	err := x.w.n.Store.View(ctx(), func(r *store.Reader) (err error) {
		f, err = r.SecretFile(d.self, id, d.key)
		return err
	})
	if err != nil {
		x.Fatal(err)
	}
	return blob.Digest(f.Digest)
}

// TestSecretFiles: what one device uploads, the other fetches, and nobody else; it can be sent on
// by whoever has it, and runs out.
func TestSecretFiles(t *testing.T) {
	x := talking(t)
	alice, bob := x.alice.client, x.bob.client
	tablet, carol := x.bob.another(), x.w.join("Carol")
	content := bytes.Repeat([]byte("ciphertext"), 1000)
	sum := md5.Sum(content)
	up := alice.upload(t, content)
	in := &tg.InputEncryptedFileUploaded{
		ID: up.ID, Parts: up.Parts, MD5Checksum: hex.EncodeToString(sum[:]), KeyFingerprint: -5,
	}
	wrong := *in
	wrong.MD5Checksum = "00"
	_, err := x.sendFile(alice, x.a, 1, &wrong)
	refused(t, "another digest", err, "MD5_CHECKSUM_INVALID")
	sent := must(x.sendFile(alice, x.a, 1, in))(t)
	if again := must(x.sendFile(alice, x.a, 1, in))(t); again.ID != sent.ID {
		t.Errorf("sent again it is another file: %v", again)
	}
	got := hears(bob, isSecret).Message.(*tg.EncryptedMessage).File.(*tg.EncryptedFile)
	if got.ID != sent.ID || got.Size != int64(len(content)) || got.KeyFingerprint != -5 ||
		got.AccessHash == sent.AccessHash {
		t.Errorf("sent %v, got %v", sent, got)
	}
	for d, f := range map[*client]*tg.EncryptedFile{alice: sent, bob: got} {
		if b, err := d.fetchEncrypted(f); err != nil || !bytes.Equal(b, content) {
			t.Errorf("fetched %d bytes, %v", len(b), err)
		}
	}
	hash := x.w.n.env().SecretHash
	_, err = tablet.fetchEncrypted(got)
	refused(t, "another device", err, "FILE_ID_INVALID")
	_, err = carol.fetchEncrypted(got)
	refused(t, "a stranger", err, "LOCATION_INVALID")
	_, err = carol.fetchEncrypted(&tg.EncryptedFile{
		ID: got.ID, AccessHash: hash(int64(carol.self), got.ID),
	})
	refused(t, "a stranger who guesses", err, "FILE_ID_INVALID")

	y := x.w.ask(t, x.bob, carol)
	y.accept(carol.client)
	on := must(y.sendFile(bob, y.a, 7, &tg.InputEncryptedFile{
		ID: got.ID, AccessHash: got.AccessHash,
	}))(t)
	hears(carol.client, isSecret)
	mine := &tg.EncryptedFile{ID: on.ID, AccessHash: hash(int64(carol.self), on.ID)}
	if b, err := carol.fetchEncrypted(mine); err != nil || !bytes.Equal(b, content) {
		t.Errorf("sent on: %d bytes, %v", len(b), err)
	}
	_, err = y.sendFile(alice, y.a, 8, &tg.InputEncryptedFile{ID: 5, AccessHash: 5})
	refused(t, "a file that is not there", err, "FILE_ID_INVALID")

	name := x.digest(bob, got.ID)
	x.w.clock.Advance(limit.SecretFileKept + time.Hour)
	_, err = bob.fetchEncrypted(got)
	refused(t, "run out", err, "FILE_ID_INVALID")
	if err := x.w.n.Secret.Sweep(ctx(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := x.w.n.Blobs.Stat(ctx(), name); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("the bytes of a file that has run out: %v", err)
	}
}

// TestSecretUpload: a file can be uploaded before it is sent, in parts of a big one too, and a
// document of the same bytes is not the same file.
func TestSecretUpload(t *testing.T) {
	x := talking(t)
	alice := x.alice.client
	content := bytes.Repeat([]byte{7}, 3<<10)
	id := random()
	for n := range 3 {
		must(alice.UploadSaveBigFilePart(ctx(), &tg.UploadSaveBigFilePartRequest{
			FileID: id, FilePart: n, FileTotalParts: 3, Bytes: content[n<<10 : (n+1)<<10],
		}))(t)
	}
	f := must(alice.MessagesUploadEncryptedFile(ctx(), &tg.MessagesUploadEncryptedFileRequest{
		Peer: x.a, File: &tg.InputEncryptedFileBigUploaded{ID: id, Parts: 3, KeyFingerprint: 1},
	}))(t).(*tg.EncryptedFile)
	if b, err := alice.fetchEncrypted(f); err != nil || !bytes.Equal(b, content) {
		t.Errorf("uploaded: %d bytes, %v", len(b), err)
	}
	digest, _, err := x.w.n.Blobs.Put(ctx(), bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if digest == x.digest(alice, f.ID) {
		t.Error("erasing the file would erase a document")
	}
	must(alice.MessagesSendEncryptedService(ctx(), &tg.MessagesSendEncryptedServiceRequest{
		Peer: x.a, RandomID: 3, Data: cipher(3),
	}))(t)
	u := hears(x.bob.client, isSecret)
	if m, ok := u.Message.(*tg.EncryptedMessageService); !ok || m.RandomID != 3 {
		t.Errorf("got %v", u)
	}
	_, err = x.bob.another().MessagesUploadEncryptedFile(ctx(),
		&tg.MessagesUploadEncryptedFileRequest{
			Peer: x.b, File: &tg.InputEncryptedFileUploaded{ID: 1, Parts: 1},
		})
	refused(t, "another device", err, "ENCRYPTION_ID_INVALID")
}

// TestSecretSpam: a report from a secret chat is one about the account, whose case says that there
// is nothing to be seen; the chat goes on.
func TestSecretSpam(t *testing.T) {
	x := talking(t)
	x.send(x.alice.client, x.a, 1, cipher(1))
	report := func(d *client, in tg.InputEncryptedChat) error {
		_, err := d.MessagesReportEncryptedSpam(ctx(), in)
		return err
	}
	refused(t, "with her hash", report(x.bob.client, x.a), "CHAT_ID_INVALID")
	refused(t, "another device", report(x.bob.another(), x.b), "CHAT_ID_INVALID")
	for range 2 {
		if err := report(x.bob.client, x.b); err != nil {
			t.Fatal(err)
		}
	}
	subject := safety.Subject{
		Peer: x.alice.self.Peer(), Kind: safety.Account, Author: x.alice.self,
	}
	err := x.w.n.Store.View(ctx(), func(r *store.Reader) error {
		of, err := r.LastCase(casefile.About(subject, 0))
		if err != nil {
			return err
		}
		if of.Reports != 1 || of.Closed != 0 {
			t.Errorf("the case: %+v", of)
		}
		list, err := evidence.Of(r, of.Subject, of.ID)
		if err != nil || len(list) != 1 {
			t.Fatalf("evidence: %v, %v", list, err)
		}
		seen := list[0]
		all := evidence.SecretChat{ByAuthor: true, Accepted: true}
		if seen.Secret == nil || *seen.Secret != all || seen.Item != nil ||
			len(seen.Context) > 0 || seen.Author == nil {
			t.Errorf("captured %+v", seen)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	x.send(x.bob.client, x.b, 2, cipher(2))
	hears(x.alice.client, isSecret)
}
