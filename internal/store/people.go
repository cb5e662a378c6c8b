package store

import (
	"errors"

	"parley/internal/ids"
)

// UserFlags are the bits of a user row.
type UserFlags int64

// The bits of UserFlags.
const (
	// UserDeleted is an account that deleted itself; its name and phone are gone.
	UserDeleted UserFlags = 1 << iota
	// UserService is the account through which the server itself speaks.
	UserService
	// UserBot is a program.
	UserBot
	// UserSynthetic is an account that was made to show something, not by a person.
	UserSynthetic
	// UserMeasured says that the service has restricted the account, without ending it.
	UserMeasured
	// UserTerminated is an account that the service ended; it can be brought back.
	UserTerminated
	// UserErased is a deleted account of which nothing else is left.
	UserErased
)

// Has tells whether all bits of f are set.
func (u UserFlags) Has(f UserFlags) bool { return u&f == f }

// User is an account.
type User struct {
	ID        ids.UserID
	Phone     string
	FirstName string
	LastName  string
	Username  string
	About     string
	PhotoID   int64
	Flags     UserFlags
	Created   int64
	// Seen is when the user was last online.
	Seen int64
	// TTLDays is after how many days without a visit the account deletes itself.
	TTLDays int64
	Lang    string
}

// Contact is somebody in a user's address book.
type Contact struct {
	User      ids.UserID
	Contact   ids.UserID
	Phone     string
	FirstName string
	LastName  string
	// Flags: bit 0 is a close friend.
	Flags   int64
	Created int64
}

const (
	userColumns = `phone, first_name, last_name, username, about, photo_id, flags, created, seen,
		ttl_days, lang`
	contactColumns = `contact_id, phone, first_name, last_name, flags, created`
)

var (
	userGet = define("user.get", "users", "user_id",
		`select `+userColumns+` from users where user_id = $1`)
	userPut = define("user.put", "users", "user_id",
		`insert into users (user_id, `+userColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		on conflict (user_id) do update set phone = excluded.phone,
		first_name = excluded.first_name, last_name = excluded.last_name,
		username = excluded.username, about = excluded.about, photo_id = excluded.photo_id,
		flags = excluded.flags, created = excluded.created, seen = excluded.seen,
		ttl_days = excluded.ttl_days, lang = excluded.lang`)
	userSeen = define("user.seen", "users", "user_id",
		`update users set seen = $2 where user_id = $1 and seen < $2`)
	userIdle = define("user.idle", "users", acrossShards,
		`select user_id, seen, ttl_days from users
		where seen < $1 and ttl_days > 0 and flags & 3 = 0 and user_id > $2
		order by user_id limit $3`)
	userDeleted = define("user.deleted", "users", acrossShards,
		`select user_id from users where flags & 1 <> 0 and flags & 64 = 0 and user_id > $1
		order by user_id limit $2`)
	phoneGet = define("phone.get", "phones", "phone",
		`select user_id from phones where phone = $1`)
	phoneRange = define("phone.range", "phones", acrossShards,
		`select phone, user_id from phones where phone >= $1 and phone < $2
		order by phone limit $3`)
	phonePut = define("phone.put", "phones", "phone",
		`insert into phones (phone, user_id) values ($1, $2)`)
	phoneDelete = define("phone.delete", "phones", "phone",
		`delete from phones where phone = $1 and user_id = $2`)
	usernameGet = define("username.get", "usernames", "name",
		`select peer_id from usernames where name = $1`)
	usernamePut = define("username.put", "usernames", "name",
		`insert into usernames (name, peer_id) values ($1, $2)`)
	usernameDelete = define("username.delete", "usernames", "name",
		`delete from usernames where name = $1 and peer_id = $2`)
	usernamePrefix = define("username.prefix", "usernames", acrossShards,
		`select peer_id from usernames where name >= $1 and name < $2 order by name limit $3`)
	termPut = define("name_term.put", "name_terms", "term",
		`insert into name_terms (term, peer_id) values ($1, $2)
		on conflict (term, peer_id) do nothing`)
	termDelete = define("name_term.delete", "name_terms", "term",
		`delete from name_terms where term = $1 and peer_id = $2`)
	termPrefix = define("name_term.prefix", "name_terms", acrossShards,
		`select distinct peer_id from name_terms where term >= $1 and term < $2 limit $3`)
	metaNext = define("meta.next", "meta", "name",
		`insert into meta (name, value) values ($1, $2)
		on conflict (name) do update set value = meta.value + 1 returning value`)
	metaGet = define("meta.get", "meta", "name", `select value from meta where name = $1`)
	metaPut = define("meta.put", "meta", "name",
		`insert into meta (name, value) values ($1, $2)
		on conflict (name) do update set value = excluded.value`)
	contactGet = define("contact.get", "contacts", "user_id",
		`select `+contactColumns+` from contacts where user_id = $1 and contact_id = $2`)
	contactPut = define("contact.put", "contacts", "user_id",
		`insert into contacts (user_id, `+contactColumns+`) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (user_id, contact_id) do update set phone = excluded.phone,
		first_name = excluded.first_name, last_name = excluded.last_name,
		flags = excluded.flags`)
	contactDelete = define("contact.delete", "contacts", "user_id",
		`delete from contacts where user_id = $1 and contact_id = $2`)
	contactClear = define("contact.clear", "contacts", "user_id",
		`delete from contacts where user_id = $1`)
	contactList = define("contact.list", "contacts", "user_id",
		`select `+contactColumns+` from contacts where user_id = $1 order by contact_id`)
	blockPut = define("block.put", "blocks", "user_id",
		`insert into blocks (user_id, peer_id, created) values ($1, $2, $3)
		on conflict (user_id, peer_id) do nothing`)
	blockDelete = define("block.delete", "blocks", "user_id",
		`delete from blocks where user_id = $1 and peer_id = $2`)
	blockClear = define("block.clear", "blocks", "user_id",
		`delete from blocks where user_id = $1`)
	blockGet = define("block.get", "blocks", "user_id",
		`select created from blocks where user_id = $1 and peer_id = $2`)
	blockList = define("block.list", "blocks", "user_id",
		`select peer_id, created from blocks where user_id = $1
		order by created desc, peer_id limit $2 offset $3`)
	blockCount = define("block.count", "blocks", "user_id",
		`select count(*) from blocks where user_id = $1`)
	settingGet = define("setting.get", "settings", "user_id",
		`select value from settings where user_id = $1 and name = $2`)
	settingPut = define("setting.put", "settings", "user_id",
		`insert into settings (user_id, name, value) values ($1, $2, $3)
		on conflict (user_id, name) do update set value = excluded.value`)
	settingDelete = define("setting.delete", "settings", "user_id",
		`delete from settings where user_id = $1 and name = $2`)
	settingClear = define("setting.clear", "settings", "user_id",
		`delete from settings where user_id = $1`)
	settingPrefix = define("setting.prefix", "settings", "user_id",
		`select name, value from settings where user_id = $1 and name >= $2 and name < $3
		order by name`)
)

// User returns an account.
func (r *Reader) User(id ids.UserID) (User, error) {
	u := User{ID: id}
	err := r.one(userGet, []any{id}, &u.Phone, &u.FirstName, &u.LastName, &u.Username, &u.About,
		&u.PhotoID, &u.Flags, &u.Created, &u.Seen, &u.TTLDays, &u.Lang)
	return u, err
}

// PutUser writes an account as a whole.
func (t *Tx) PutUser(u User) error {
	return t.exec(userPut, u.ID, u.Phone, u.FirstName, u.LastName, u.Username, u.About, u.PhotoID,
		u.Flags, u.Created, u.Seen, u.TTLDays, u.Lang)
}

// Seen notes that a user was online at a time.
func (t *Tx) Seen(user ids.UserID, at int64) error { return t.exec(userSeen, user, at) }

// IdleUsers returns up to limit accounts with an id above after that delete themselves some day and
// were last seen before a time: only their id, when they were seen and after how many days.
func (r *Reader) IdleUsers(before int64, after ids.UserID, limit int) ([]User, error) {
	var out []User
	err := r.each(userIdle, []any{before, after, limit}, func(row rows) error {
		var u User
		err := row.Scan(&u.ID, &u.Seen, &u.TTLDays)
		out = append(out, u)
		return err
	})
	return out, err
}

// DeletedUsers returns up to limit deleted accounts with an id above after that are not erased.
func (r *Reader) DeletedUsers(after ids.UserID, limit int) (out []ids.UserID, err error) {
	list, err := r.peers(userDeleted, after, limit)
	for _, p := range list {
		out = append(out, p.User())
	}
	return out, err
}

// ForgetUser removes a user's address book, blocked peers and settings.
func (t *Tx) ForgetUser(user ids.UserID) error {
	for _, st := range []*statement{contactClear, blockClear, settingClear} {
		if err := t.exec(st, user); err != nil {
			return err
		}
	}
	return nil
}

// UserByPhone returns the account of a phone number, given in digits.
func (r *Reader) UserByPhone(phone string) (id ids.UserID, err error) {
	err = r.one(phoneGet, []any{phone}, &id)
	return id, err
}

// Phone is a phone number and whose it is.
type Phone struct {
	Number string
	User   ids.UserID
}

// Phones returns up to limit numbers from one to below another, in their order.
func (r *Reader) Phones(from, below string, limit int) (out []Phone, err error) {
	err = r.each(phoneRange, []any{from, below, limit}, func(row rows) error {
		var p Phone
		err := row.Scan(&p.Number, &p.User)
		out = append(out, p)
		return err
	})
	return out, err
}

// TakePhone gives a phone number to an account; ErrConflict when it has one already.
func (t *Tx) TakePhone(phone string, user ids.UserID) error { return t.exec(phonePut, phone, user) }

// FreePhone takes a phone number from an account.
func (t *Tx) FreePhone(phone string, user ids.UserID) error {
	return t.exec(phoneDelete, phone, user)
}

// PeerByUsername returns who has a username, given in its folded form.
func (r *Reader) PeerByUsername(name string) (peer ids.Peer, err error) {
	err = r.one(usernameGet, []any{name}, &peer)
	return peer, err
}

// TakeUsername gives a username to a peer; ErrConflict when it is taken.
func (t *Tx) TakeUsername(name string, peer ids.Peer) error {
	return t.exec(usernamePut, name, peer)
}

// FreeUsername takes a username from a peer.
func (t *Tx) FreeUsername(name string, peer ids.Peer) error {
	return t.exec(usernameDelete, name, peer)
}

// PeersByUsernamePrefix returns peers whose username begins so.
func (r *Reader) PeersByUsernamePrefix(prefix string, limit int) ([]ids.Peer, error) {
	return r.peers(usernamePrefix, prefix, prefix+"\U0010ffff", limit)
}

// PeersByNameTerm returns peers one of whose name terms begins so.
func (r *Reader) PeersByNameTerm(prefix string, limit int) ([]ids.Peer, error) {
	return r.peers(termPrefix, prefix, prefix+"\U0010ffff", limit)
}

func (r *Reader) peers(st *statement, args ...any) ([]ids.Peer, error) {
	var out []ids.Peer
	err := r.each(st, args, func(row rows) error {
		var p ids.Peer
		if err := row.Scan(&p); err != nil {
			return err
		}
		out = append(out, p)
		return nil
	})
	return out, err
}

// AddNameTerm lets a peer be found by a term.
func (t *Tx) AddNameTerm(term string, peer ids.Peer) error { return t.exec(termPut, term, peer) }

// DropNameTerm undoes AddNameTerm.
func (t *Tx) DropNameTerm(term string, peer ids.Peer) error { return t.exec(termDelete, term, peer) }

// Next counts a named counter up and returns it; the first value is first.
func (t *Tx) Next(name string, first int64) (n int64, err error) {
	err = t.one(metaNext, []any{name, first}, &n)
	return n, err
}

// Meta returns a named value of the whole store.
func (r *Reader) Meta(name string) (n int64, err error) {
	err = r.one(metaGet, []any{name}, &n)
	return n, err
}

// SetMeta writes a named value of the whole store.
func (t *Tx) SetMeta(name string, value int64) error { return t.exec(metaPut, name, value) }

func scanContact(row rows, c *Contact) error {
	return row.Scan(&c.Contact, &c.Phone, &c.FirstName, &c.LastName, &c.Flags, &c.Created)
}

// Contact returns somebody in a user's address book.
func (r *Reader) Contact(user, contact ids.UserID) (Contact, error) {
	c := Contact{User: user, Contact: contact}
	err := r.one(contactGet, []any{user, contact}, &c.Contact, &c.Phone, &c.FirstName, &c.LastName,
		&c.Flags, &c.Created)
	return c, err
}

// Contacts returns a user's address book.
func (r *Reader) Contacts(user ids.UserID) ([]Contact, error) {
	var out []Contact
	err := r.each(contactList, []any{user}, func(row rows) error {
		out = append(out, Contact{User: user})
		return scanContact(row, &out[len(out)-1])
	})
	return out, err
}

// PutContact adds or changes somebody in an address book.
func (t *Tx) PutContact(c Contact) error {
	return t.exec(contactPut, c.User, c.Contact, c.Phone, c.FirstName, c.LastName, c.Flags,
		c.Created)
}

// DeleteContact removes somebody from an address book; false when it was not in it.
func (t *Tx) DeleteContact(user, contact ids.UserID) (bool, error) {
	n, err := t.q.exec(t.ctx, contactDelete, user, contact)
	return n > 0, err
}

// Block is a peer that a user does not want to hear from.
type Block struct {
	Peer ids.Peer
	Date int64
}

// PutBlock blocks a peer; false when it was blocked already.
func (t *Tx) PutBlock(user ids.UserID, peer ids.Peer, date int64) (bool, error) {
	n, err := t.q.exec(t.ctx, blockPut, user, peer, date)
	return n > 0, err
}

// DeleteBlock unblocks a peer; false when it was not blocked.
func (t *Tx) DeleteBlock(user ids.UserID, peer ids.Peer) (bool, error) {
	n, err := t.q.exec(t.ctx, blockDelete, user, peer)
	return n > 0, err
}

// Blocked tells whether a user has blocked a peer.
func (r *Reader) Blocked(user ids.UserID, peer ids.Peer) (bool, error) {
	var created int64
	err := r.one(blockGet, []any{user, peer}, &created)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Blocks returns whom a user has blocked, the newest first, and how many there are.
func (r *Reader) Blocks(user ids.UserID, limit, offset int) (list []Block, total int64, err error) {
	if err := r.one(blockCount, []any{user}, &total); err != nil {
		return nil, 0, err
	}
	err = r.each(blockList, []any{user, limit, offset}, func(row rows) error {
		var b Block
		if err := row.Scan(&b.Peer, &b.Date); err != nil {
			return err
		}
		list = append(list, b)
		return nil
	})
	return list, total, err
}

// Setting returns a user's setting by name; nil when it was never set.
func (r *Reader) Setting(user ids.UserID, name string) ([]byte, error) {
	var value []byte
	err := r.one(settingGet, []any{user, name}, &value)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return value, err
}

// Settings returns a user's settings whose names begin so.
func (r *Reader) Settings(user ids.UserID, prefix string) (map[string][]byte, error) {
	out := make(map[string][]byte)
	err := r.each(settingPrefix, []any{user, prefix, prefix + "\U0010ffff"}, func(row rows) error {
		var name string
		var value []byte
		if err := row.Scan(&name, &value); err != nil {
			return err
		}
		out[name] = value
		return nil
	})
	return out, err
}

// PutSetting writes a user's setting; nil removes it.
func (t *Tx) PutSetting(user ids.UserID, name string, value []byte) error {
	if value == nil {
		return t.exec(settingDelete, user, name)
	}
	return t.exec(settingPut, user, name, value)
}
