package store

import (
	"errors"

	"parley/internal/ids"
)

// FirstQts is the qts of a device to which no secret message has come. Clients take a message that
// would move it to 1 for a mistake.
const FirstQts = 1

// SecretState says how far a secret chat has come.
type SecretState int64

// The states of a secret chat.
const (
	// SecretWaiting was asked for by this party and not answered.
	SecretWaiting SecretState = iota + 1
	// SecretRequested was asked for by the other party; no device has taken it.
	SecretRequested
	// SecretReady has a key on both sides.
	SecretReady
	// SecretDiscarded is over.
	SecretDiscarded
)

// SecretForgotten is the flag of a discarded chat whose history is to be deleted.
const SecretForgotten = 1 << 0

// SecretOutgoing is the flag of a chat that this party asked for.
const SecretOutgoing = 1 << 1

// SecretChat is a secret chat as one of its two parties has it. Its id was chosen by who asked for
// it and is unique for each party only.
//
// https://core.telegram.org/api/end-to-end
type SecretChat struct {
	User ids.UserID
	ID   int64
	// Peer is the other party.
	Peer ids.UserID
	// KeyID is the party's own device, by its permanent key; 0 while none has taken a request.
	KeyID   int64
	State   SecretState
	Flags   int64
	Date    int64
	Changed int64
	// GA and GB are the public numbers of the exchange, as far as they are known here.
	GA, GB      []byte
	Fingerprint int64
	// ReadMax is the date up to which the other party has read, ReadDate when it said so.
	ReadMax, ReadDate int64
}

// Outgoing tells whether this party asked for the chat.
func (c SecretChat) Outgoing() bool { return c.Flags&SecretOutgoing != 0 }

// SecretDevice is a device's own sequence of secret messages.
//
// https://core.telegram.org/api/updates#secret-chats
type SecretDevice struct {
	User  ids.UserID
	KeyID int64
	// Qts is the number of the last message, Taken of the last that the device said to have.
	Qts, Taken int64
	// Waiting and Bytes are how much waits for the device.
	Waiting, Bytes int64
}

// SecretMessage is ciphertext that waits for a device.
type SecretMessage struct {
	User   ids.UserID
	KeyID  int64
	Qts    int64
	Chat   int64
	Random int64
	Date   int64
	// Service says that its sender's client calls it a service message.
	Service bool
	// File is the encrypted file that comes with it, 0 for none.
	File int64
	Body []byte
}

// SecretSent notes that a message was sent, or came.
type SecretSent struct {
	User   ids.UserID
	Chat   int64
	Came   bool
	Random int64
	Date   int64
	File   int64
}

// SecretFile is an encrypted file as one device may fetch it. The bytes are in the blob store under
// Digest, followed there by something that makes the digest theirs alone.
type SecretFile struct {
	User  ids.UserID
	ID    int64
	KeyID int64
	// Size is the length of the file, in bytes.
	Size        int64
	Fingerprint int64
	// Date is when it was uploaded.
	Date   int64
	Digest []byte
}

const secretColumns = `peer_id, auth_key_id, state, flags, date, changed, g_a, g_b, fingerprint,
	read_max, read_date`

const secretQueueColumns = `qts, chat_id, random_id, date, flags, file_id, body`

var (
	secretPut = define("secret.put", "secret_chats", "user_id",
		`insert into secret_chats (user_id, chat_id, `+secretColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		on conflict (user_id, chat_id) do update set auth_key_id = excluded.auth_key_id,
		state = excluded.state, flags = excluded.flags, changed = excluded.changed,
		g_a = excluded.g_a, g_b = excluded.g_b, fingerprint = excluded.fingerprint,
		read_max = excluded.read_max, read_date = excluded.read_date`)
	secretGet = define("secret.get", "secret_chats", "user_id",
		`select `+secretColumns+` from secret_chats where user_id = $1 and chat_id = $2`)
	secretChanged = define("secret.changed", "secret_chats", "user_id",
		`select chat_id, `+secretColumns+` from secret_chats
		where user_id = $1 and changed >= $2 order by changed, chat_id limit $3`)
	secretOpen = define("secret.open", "secret_chats", "user_id",
		`select chat_id, `+secretColumns+` from secret_chats
		where user_id = $1 and state <> 4 order by chat_id`)
	secretOld = define("secret.old", "secret_chats", acrossShards,
		`select user_id, chat_id, auth_key_id from secret_chats where state < 3 and date < $1
		order by date limit $2`)
	secretForget = define("secret.forget", "secret_chats", acrossShards,
		`delete from secret_chats where state = 4 and changed < $1`)
	secretDeviceGet = define("secret_device.get", "secret_devices", "user_id",
		`select qts, taken, waiting, bytes from secret_devices
		where user_id = $1 and auth_key_id = $2`)
	secretDeviceNext = define("secret_device.next", "secret_devices", "user_id",
		`insert into secret_devices (user_id, auth_key_id, qts, taken, waiting, bytes)
		values ($1, $2, 2, 1, 1, $3)
		on conflict (user_id, auth_key_id) do update set qts = secret_devices.qts + 1,
		waiting = secret_devices.waiting + 1, bytes = secret_devices.bytes + excluded.bytes
		returning qts`)
	secretDeviceSet = define("secret_device.set", "secret_devices", "user_id",
		`update secret_devices set taken = $3, waiting = $4, bytes = $5
		where user_id = $1 and auth_key_id = $2`)
	secretDeviceEnd = define("secret_device.end", "secret_devices", "user_id",
		`delete from secret_devices where user_id = $1 and auth_key_id = $2`)
	secretQueueAdd = define("secret_queue.add", "secret_queue", "user_id",
		`insert into secret_queue (user_id, auth_key_id, `+secretQueueColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`)
	secretQueueAfter = define("secret_queue.after", "secret_queue", "user_id",
		`select `+secretQueueColumns+` from secret_queue
		where user_id = $1 and auth_key_id = $2 and qts > $3 order by qts limit $4`)
	secretQueueUpTo = define("secret_queue.up_to", "secret_queue", "user_id",
		`select random_id, length(body) from secret_queue
		where user_id = $1 and auth_key_id = $2 and qts <= $3 order by qts`)
	secretQueueDrop = define("secret_queue.drop", "secret_queue", "user_id",
		`delete from secret_queue where user_id = $1 and auth_key_id = $2 and qts <= $3`)
	secretQueueDropChat = define("secret_queue.drop_chat", "secret_queue", "user_id",
		`delete from secret_queue where user_id = $1 and auth_key_id = $2 and chat_id = $3`)
	secretQueueSum = define("secret_queue.sum", "secret_queue", "user_id",
		`select count(*), coalesce(sum(length(body)), 0) from secret_queue
		where user_id = $1 and auth_key_id = $2 and chat_id = $3`)
	secretQueueOld = define("secret_queue.old", "secret_queue", acrossShards,
		`select distinct user_id, chat_id, auth_key_id from secret_queue where date < $1 limit $2`)
	secretSentPut = define("secret_sent.put", "secret_sent", "user_id",
		`insert into secret_sent (user_id, chat_id, way, random_id, date, file_id)
		values ($1, $2, $3, $4, $5, $6)`)
	secretSentGet = define("secret_sent.get", "secret_sent", "user_id",
		`select date, file_id from secret_sent
		where user_id = $1 and chat_id = $2 and way = $3 and random_id = $4`)
	secretSentForget = define("secret_sent.forget", "secret_sent", acrossShards,
		`delete from secret_sent where date < $1`)
	secretFilePut = define("secret_file.put", "secret_files", "user_id",
		`insert into secret_files (user_id, file_id, auth_key_id, size, fingerprint, date, shut,
		digest) values ($1, $2, $3, $4, $5, $6, 0, $7)
		on conflict (user_id, file_id, auth_key_id) do nothing`)
	secretFileGet = define("secret_file.get", "secret_files", "user_id",
		`select size, fingerprint, date, digest from secret_files
		where user_id = $1 and file_id = $2 and auth_key_id = $3 and shut = 0`)
	secretFileShut = define("secret_file.shut", "secret_files", "user_id",
		`update secret_files set shut = 1 where user_id = $1 and auth_key_id = $2`)
	secretFileOld = define("secret_file.old", "secret_files", acrossShards,
		`select user_id, file_id, auth_key_id, digest from secret_files
		where date < $1 order by date limit $2`)
	secretFileDrop = define("secret_file.drop", "secret_files", "user_id",
		`delete from secret_files where user_id = $1 and file_id = $2 and auth_key_id = $3`)
)

// PutSecretChat writes a secret chat; of one that is there the parties and the date stay.
func (t *Tx) PutSecretChat(c SecretChat) error {
	return t.exec(secretPut, c.User, c.ID, c.Peer, c.KeyID, c.State, c.Flags, c.Date, c.Changed,
		present(c.GA), present(c.GB), c.Fingerprint, c.ReadMax, c.ReadDate)
}

func (c *SecretChat) columns() []any {
	return []any{&c.Peer, &c.KeyID, &c.State, &c.Flags, &c.Date, &c.Changed, &c.GA, &c.GB,
		&c.Fingerprint, &c.ReadMax, &c.ReadDate}
}

// SecretChat returns a secret chat as a party has it.
func (r *Reader) SecretChat(user ids.UserID, id int64) (SecretChat, error) {
	c := SecretChat{User: user, ID: id}
	return c, r.one(secretGet, []any{user, id}, c.columns()...)
}

// SecretChatsChanged returns up to limit secret chats of a party that changed since a time, the
// last change last.
func (r *Reader) SecretChatsChanged(
	user ids.UserID, since int64, limit int,
) ([]SecretChat, error) {
	return r.secretChats(secretChanged, user, since, limit)
}

// OpenSecretChats returns the secret chats of a party that are not over.
func (r *Reader) OpenSecretChats(user ids.UserID) ([]SecretChat, error) {
	return r.secretChats(secretOpen, user)
}

func (r *Reader) secretChats(
	st *statement, user ids.UserID, args ...any,
) (out []SecretChat, err error) {
	err = r.each(st, append([]any{user}, args...), func(row rows) error {
		c := SecretChat{User: user}
		err := row.Scan(append([]any{&c.ID}, c.columns()...)...)
		out = append(out, c)
		return err
	})
	return out, err
}

// SecretRequestsBefore returns up to limit chats that were asked for before a time and are without
// an answer: only their party, id and device.
func (r *Reader) SecretRequestsBefore(before int64, limit int) ([]SecretChat, error) {
	return r.secretNames(secretOld, before, limit)
}

// SecretQueuesBefore returns up to limit chats with ciphertext from before a time that its device
// has not taken: only their party, id and device.
func (r *Reader) SecretQueuesBefore(before int64, limit int) ([]SecretChat, error) {
	return r.secretNames(secretQueueOld, before, limit)
}

func (r *Reader) secretNames(
	st *statement, before int64, limit int,
) (out []SecretChat, err error) {
	err = r.each(st, []any{before, limit}, func(row rows) error {
		var c SecretChat
		err := row.Scan(&c.User, &c.ID, &c.KeyID)
		out = append(out, c)
		return err
	})
	return out, err
}

// ForgetSecrets forgets the chats that were over before a time, and which messages were sent
// before it. It is for housekeeping.
func (t *Tx) ForgetSecrets(before int64) error {
	if err := t.exec(secretForget, before); err != nil {
		return err
	}
	return t.exec(secretSentForget, before)
}

// SecretDevice returns a device's sequence of secret messages; one to which none has come has
// FirstQts.
func (r *Reader) SecretDevice(user ids.UserID, key int64) (SecretDevice, error) {
	d := SecretDevice{User: user, KeyID: key, Qts: FirstQts, Taken: FirstQts}
	err := r.one(secretDeviceGet, []any{user, key}, &d.Qts, &d.Taken, &d.Waiting, &d.Bytes)
	if errors.Is(err, ErrNotFound) {
		return d, nil
	}
	return d, err
}

// QueueSecret lets ciphertext wait for a device and returns its qts there.
func (t *Tx) QueueSecret(m SecretMessage) (qts int64, err error) {
	if err := t.one(secretDeviceNext, []any{m.User, m.KeyID, len(m.Body)}, &qts); err != nil {
		return 0, err
	}
	var flags int64
	if m.Service {
		flags = 1
	}
	return qts, t.exec(secretQueueAdd, m.User, m.KeyID, qts, m.Chat, m.Random, m.Date, flags,
		m.File, present(m.Body))
}

// SecretMessages returns up to limit messages that wait for a device after a qts, in order.
func (r *Reader) SecretMessages(
	user ids.UserID, key, after int64, limit int,
) (out []SecretMessage, err error) {
	err = r.each(secretQueueAfter, []any{user, key, after, limit}, func(row rows) error {
		m := SecretMessage{User: user, KeyID: key}
		var flags int64
		err := row.Scan(&m.Qts, &m.Chat, &m.Random, &m.Date, &flags, &m.File, &m.Body)
		m.Service = flags&1 != 0
		out = append(out, m)
		return err
	})
	return out, err
}

// TakeSecrets erases what waited for a device up to a qts, because it has that, and returns the
// random_ids of what was erased.
func (t *Tx) TakeSecrets(user ids.UserID, key, upTo int64) (randoms []int64, err error) {
	d, err := t.SecretDevice(user, key)
	if err != nil {
		return nil, err
	}
	err = t.each(secretQueueUpTo, []any{user, key, upTo}, func(row rows) error {
		var id, bytes int64
		err := row.Scan(&id, &bytes)
		randoms = append(randoms, id)
		d.Waiting--
		d.Bytes -= bytes
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := t.exec(secretQueueDrop, user, key, upTo); err != nil {
		return nil, err
	}
	d.Taken = max(d.Taken, min(upTo, d.Qts))
	return randoms, t.exec(secretDeviceSet, user, key, d.Taken, d.Waiting, d.Bytes)
}

// DropSecrets erases what waits for a device in one chat.
func (t *Tx) DropSecrets(user ids.UserID, key, chat int64) error {
	d, err := t.SecretDevice(user, key)
	if err != nil {
		return err
	}
	var n, bytes int64
	if err := t.one(secretQueueSum, []any{user, key, chat}, &n, &bytes); err != nil || n == 0 {
		return err
	}
	if err := t.exec(secretQueueDropChat, user, key, chat); err != nil {
		return err
	}
	return t.exec(secretDeviceSet, user, key, d.Taken, d.Waiting-n, d.Bytes-bytes)
}

// EndSecretDevice erases what waits for a device and how far it came, and lets it fetch no
// encrypted file any more.
func (t *Tx) EndSecretDevice(user ids.UserID, key int64) error {
	d, err := t.SecretDevice(user, key)
	if err != nil {
		return err
	}
	if err := t.exec(secretQueueDrop, user, key, d.Qts); err != nil {
		return err
	}
	if err := t.exec(secretFileShut, user, key); err != nil {
		return err
	}
	return t.exec(secretDeviceEnd, user, key)
}

func (s SecretSent) way() int64 {
	if s.Came {
		return 1
	}
	return 0
}

// PutSecretSent notes that a message was sent, or came; ErrConflict when it was noted before.
func (t *Tx) PutSecretSent(s SecretSent) error {
	return t.exec(secretSentPut, s.User, s.Chat, s.way(), s.Random, s.Date, s.File)
}

// SecretSent completes what was noted of a message by its user, chat, way and random_id.
func (r *Reader) SecretSent(s SecretSent) (SecretSent, error) {
	return s, r.one(secretSentGet, []any{s.User, s.Chat, s.way(), s.Random}, &s.Date, &s.File)
}

// PutSecretFile lets a device fetch an encrypted file.
func (t *Tx) PutSecretFile(f SecretFile) error {
	return t.exec(secretFilePut, f.User, f.ID, f.KeyID, f.Size, f.Fingerprint, f.Date, f.Digest)
}

// SecretFile returns an encrypted file that a device may fetch.
func (r *Reader) SecretFile(user ids.UserID, id, key int64) (SecretFile, error) {
	f := SecretFile{User: user, ID: id, KeyID: key}
	err := r.one(secretFileGet, []any{user, id, key}, &f.Size, &f.Fingerprint, &f.Date, &f.Digest)
	return f, err
}

// SecretFilesBefore returns up to limit rows of encrypted files that were uploaded before a time:
// only whose they are, and the digest.
func (r *Reader) SecretFilesBefore(before int64, limit int) (out []SecretFile, err error) {
	err = r.each(secretFileOld, []any{before, limit}, func(row rows) error {
		var f SecretFile
		err := row.Scan(&f.User, &f.ID, &f.KeyID, &f.Digest)
		out = append(out, f)
		return err
	})
	return out, err
}

// DropSecretFile forgets an encrypted file of a device.
func (t *Tx) DropSecretFile(f SecretFile) error {
	return t.exec(secretFileDrop, f.User, f.ID, f.KeyID)
}
