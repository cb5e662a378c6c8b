package store

import "parley/internal/ids"

// AuthKeyState says how far an auth key has come.
type AuthKeyState int64

// The states of an auth key.
const (
	// KeyFresh has no account.
	KeyFresh AuthKeyState = iota
	// KeyPassword has given a right code and owes the cloud password.
	KeyPassword
	// KeyAuthorized acts for an account.
	KeyAuthorized
)

// AuthKey is a permanent key with what its client said of itself. The key itself is sealed.
//
// https://core.telegram.org/mtproto/auth_key
type AuthKey struct {
	ID     int64
	Sealed []byte
	Salt   int64
	// DC is the data centre that the client named when it made the key, 0 for none.
	DC         int64
	Created    int64
	User       ids.UserID
	State      AuthKeyState
	Layer      int64
	APIID      int64
	Device     string
	System     string
	App        string
	LangPack   string
	Lang       string
	SystemLang string
}

// Authorization is a logged-in device as its user sees it.
//
// https://core.telegram.org/constructor/authorization
type Authorization struct {
	User    ids.UserID
	KeyID   int64
	Hash    int64
	Created int64
	Active  int64
	APIID   int64
	Device  string
	System  string
	App     string
	IP      string
	// Flags: bit 0 has passed the cloud password, bit 1 refuses secret chats, bit 2 refuses calls,
	// bit 3 still owes the cloud password, bit 4 was not yet confirmed by another device.
	Flags int64
	// Parent is the auth key of the device that this key belongs to, 0 when it is a device itself.
	Parent int64
}

// LoginCode is a code that was sent to a phone number.
type LoginCode struct {
	Hash string
	// Phone is where it was sent: the digits of a phone number, or a mail address.
	Phone   string
	Code    string
	KeyID   int64
	Created int64
	Tries   int64
	// Flags: bit 0 was used, so that a number may sign up with it once. The other bits belong to
	// chat/account.
	Flags int64
}

// LoginToken lets one device in by the word of another. Hash is the digest of the token.
type LoginToken struct {
	Hash string
	// Kind tells the uses apart; its values are chat/account's.
	Kind int64
	// KeyID is the auth key that the token was made for.
	KeyID int64
	// User is whom it stands for, 0 as long as nobody has accepted it.
	User    ids.UserID
	Created int64
	// Except are ids of users, with commas between, who may not accept it.
	Except string
}

// Invitation lets somebody join the server.
type Invitation struct {
	Hash    string
	Creator ids.UserID
	Created int64
	// Expires is 0 for never.
	Expires int64
	// Uses is how often it may be used, 0 for any number.
	Uses int64
	Used int64
}

// Password is what the server knows of a cloud password: never the password.
//
// https://core.telegram.org/api/srp
type Password struct {
	User         ids.UserID
	Salt1        []byte
	Salt2        []byte
	Verifier     []byte
	Hint         string
	Email        string
	PendingEmail string
	// The other pending fields take effect together with PendingEmail, once its owner has confirmed
	// it. An empty PendingVerifier leaves the password as it is.
	PendingSalt1    []byte
	PendingSalt2    []byte
	PendingVerifier []byte
	PendingHint     string
	Changed         int64
	// ResetAfter is when a requested reset takes effect, 0 for none. A negative one says that a
	// request was declined, and that none may be made before that time.
	ResetAfter int64
}

const (
	keyColumns = `sealed, salt, dc, created, user_id, state, layer, api_id, device, system, app,
		lang_pack, lang, system_lang`
	authorizationColumns = `auth_key_id, hash, created, active, api_id, device, system, app, ip,
		flags, parent`
	passwordColumns = `salt1, salt2, verifier, hint, email, pending_email, pending_salt1,
		pending_salt2, pending_verifier, pending_hint, changed, reset_after`
)

var (
	keyInsert = define("auth_key.insert", "auth_keys", "auth_key_id",
		`insert into auth_keys (auth_key_id, `+keyColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`)
	keyGet = define("auth_key.get", "auth_keys", "auth_key_id",
		`select `+keyColumns+` from auth_keys where auth_key_id = $1`)
	keyUpdate = define("auth_key.update", "auth_keys", "auth_key_id",
		`update auth_keys set user_id = $2, state = $3, layer = $4, api_id = $5, device = $6,
		system = $7, app = $8, lang_pack = $9, lang = $10, system_lang = $11
		where auth_key_id = $1`)
	keyDelete = define("auth_key.delete", "auth_keys", "auth_key_id",
		`delete from auth_keys where auth_key_id = $1`)
	authorizationPut = define("authorization.put", "authorizations", "user_id",
		`insert into authorizations (user_id, `+authorizationColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		on conflict (user_id, auth_key_id) do update set active = excluded.active,
		api_id = excluded.api_id, device = excluded.device, system = excluded.system,
		app = excluded.app, ip = excluded.ip, flags = excluded.flags`)
	authorizationList = define("authorization.list", "authorizations", "user_id",
		`select `+authorizationColumns+` from authorizations where user_id = $1
		order by active desc, auth_key_id`)
	authorizationTouch = define("authorization.touch", "authorizations", "user_id",
		`update authorizations set active = $3, ip = $4, device = $5, system = $6, app = $7
		where user_id = $1 and auth_key_id = $2`)
	authorizationIdle = define("authorization.idle", "authorizations", acrossShards,
		`select user_id, auth_key_id, active from authorizations
		where active < $1 and parent = 0 and (user_id, auth_key_id) > ($2, $3)
		order by user_id, auth_key_id limit $4`)
	authorizationForgetIP = define("authorization.forget_ip", "authorizations", acrossShards,
		`update authorizations set ip = '' where active < $1 and ip <> ''`)
	authorizationDelete = define("authorization.delete", "authorizations", "user_id",
		`delete from authorizations where user_id = $1 and auth_key_id = $2`)
	codePut = define("login_code.put", "login_codes", "hash",
		`insert into login_codes (hash, phone, code, auth_key_id, created, tries, flags)
		values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (hash) do update set code = excluded.code, created = excluded.created,
		tries = excluded.tries, flags = excluded.flags`)
	codeGet = define("login_code.get", "login_codes", "hash",
		`select phone, code, auth_key_id, created, tries, flags from login_codes
		where hash = $1`)
	codeDelete = define("login_code.delete", "login_codes", "hash",
		`delete from login_codes where hash = $1`)
	codeExpire = define("login_code.expire", "login_codes", acrossShards,
		`delete from login_codes where created < $1`)
	tokenPut = define("login_token.put", "login_tokens", "hash",
		`insert into login_tokens (hash, kind, auth_key_id, user_id, created, except_ids)
		values ($1, $2, $3, $4, $5, $6)
		on conflict (hash) do update set user_id = excluded.user_id`)
	tokenGet = define("login_token.get", "login_tokens", "hash",
		`select kind, auth_key_id, user_id, created, except_ids from login_tokens
		where hash = $1`)
	tokenDelete = define("login_token.delete", "login_tokens", "hash",
		`delete from login_tokens where hash = $1`)
	tokenExpire = define("login_token.expire", "login_tokens", acrossShards,
		`delete from login_tokens where created < $1`)
	counterAdd = define("counter.add", "counters", "subject",
		`insert into counters (subject, slot, n) values ($1, $2, $3)
		on conflict (subject, slot) do update set n = counters.n + excluded.n returning n`)
	counterSum = define("counter.sum", "counters", "subject",
		`select coalesce(sum(n), 0) from counters where subject = $1 and slot >= $2`)
	counterLast = define("counter.last", "counters", "subject",
		`select coalesce(max(slot), 0) from counters
		where subject = $1 and slot >= $2 and n > 0`)
	counterExpire = define("counter.expire", "counters", acrossShards,
		`delete from counters where slot < $1`)
	invitationPut = define("invitation.put", "invitations", "hash",
		`insert into invitations (hash, creator, created, expires, uses, used)
		values ($1, $2, $3, $4, $5, $6)
		on conflict (hash) do update set expires = excluded.expires, uses = excluded.uses,
		used = excluded.used`)
	invitationGet = define("invitation.get", "invitations", "hash",
		`select creator, created, expires, uses, used from invitations where hash = $1`)
	invitationAll = define("invitation.all", "invitations", acrossShards,
		`select hash, creator, created, expires, uses, used from invitations order by created`)
	passwordPut = define("password.put", "passwords", "user_id",
		`insert into passwords (user_id, `+passwordColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		on conflict (user_id) do update set salt1 = excluded.salt1, salt2 = excluded.salt2,
		verifier = excluded.verifier, hint = excluded.hint, email = excluded.email,
		pending_email = excluded.pending_email, pending_salt1 = excluded.pending_salt1,
		pending_salt2 = excluded.pending_salt2,
		pending_verifier = excluded.pending_verifier, pending_hint = excluded.pending_hint,
		changed = excluded.changed, reset_after = excluded.reset_after`)
	passwordGet = define("password.get", "passwords", "user_id",
		`select `+passwordColumns+` from passwords where user_id = $1`)
	passwordDelete = define("password.delete", "passwords", "user_id",
		`delete from passwords where user_id = $1`)
)

// AddAuthKey stores a new permanent key; ErrConflict when its id is taken.
func (t *Tx) AddAuthKey(k AuthKey) error {
	return t.exec(keyInsert, k.ID, k.Sealed, k.Salt, k.DC, k.Created, k.User, k.State, k.Layer, k.APIID,
		k.Device, k.System, k.App, k.LangPack, k.Lang, k.SystemLang)
}

// AuthKey returns a permanent key.
func (r *Reader) AuthKey(id int64) (AuthKey, error) {
	k := AuthKey{ID: id}
	err := r.one(keyGet, []any{id}, &k.Sealed, &k.Salt, &k.DC, &k.Created, &k.User, &k.State, &k.Layer,
		&k.APIID, &k.Device, &k.System, &k.App, &k.LangPack, &k.Lang, &k.SystemLang)
	return k, err
}

// SetAuthKey writes whom a key acts for and what its client said of itself.
func (t *Tx) SetAuthKey(k AuthKey) error {
	return t.execOne(keyUpdate, k.ID, k.User, k.State, k.Layer, k.APIID, k.Device, k.System, k.App,
		k.LangPack, k.Lang, k.SystemLang)
}

// DeleteAuthKey destroys a key.
func (t *Tx) DeleteAuthKey(id int64) error { return t.exec(keyDelete, id) }

// PutAuthorization adds or refreshes a device of a user.
func (t *Tx) PutAuthorization(a Authorization) error {
	return t.exec(authorizationPut, a.User, a.KeyID, a.Hash, a.Created, a.Active, a.APIID, a.Device,
		a.System, a.App, a.IP, a.Flags, a.Parent)
}

// TouchAuthorization notes when, whence and with which application a device was last used; a
// device that is no longer there stays away.
func (t *Tx) TouchAuthorization(a Authorization) error {
	return t.exec(authorizationTouch, a.User, a.KeyID, a.Active, a.IP, a.Device, a.System, a.App)
}

// IdleAuthorizations returns up to limit devices that were last used before a time and come after
// the given one in the order of users and keys: only their user, key and time.
func (r *Reader) IdleAuthorizations(
	before int64, after Authorization, limit int,
) ([]Authorization, error) {
	var out []Authorization
	err := r.each(authorizationIdle, []any{before, after.User, after.KeyID, limit},
		func(row rows) error {
			var a Authorization
			err := row.Scan(&a.User, &a.KeyID, &a.Active)
			out = append(out, a)
			return err
		})
	return out, err
}

// ForgetAddresses removes the addresses of devices that were last used before a time.
func (t *Tx) ForgetAddresses(before int64) error { return t.exec(authorizationForgetIP, before) }

// Authorizations returns the devices of a user, the last active one first.
func (r *Reader) Authorizations(user ids.UserID) ([]Authorization, error) {
	var out []Authorization
	err := r.each(authorizationList, []any{user}, func(row rows) error {
		a := Authorization{User: user}
		err := row.Scan(&a.KeyID, &a.Hash, &a.Created, &a.Active, &a.APIID, &a.Device, &a.System,
			&a.App, &a.IP, &a.Flags, &a.Parent)
		out = append(out, a)
		return err
	})
	return out, err
}

// DeleteAuthorization removes a device of a user.
func (t *Tx) DeleteAuthorization(user ids.UserID, keyID int64) error {
	return t.exec(authorizationDelete, user, keyID)
}

// PutLoginCode writes a login code.
func (t *Tx) PutLoginCode(c LoginCode) error {
	return t.exec(codePut, c.Hash, c.Phone, c.Code, c.KeyID, c.Created, c.Tries, c.Flags)
}

// LoginCode returns the code of a phone_code_hash.
func (r *Reader) LoginCode(hash string) (LoginCode, error) {
	c := LoginCode{Hash: hash}
	err := r.one(codeGet, []any{hash}, &c.Phone, &c.Code, &c.KeyID, &c.Created, &c.Tries, &c.Flags)
	return c, err
}

// DeleteLoginCode forgets a code.
func (t *Tx) DeleteLoginCode(hash string) error { return t.exec(codeDelete, hash) }

// ExpireLoginCodes forgets the codes made before a time.
func (t *Tx) ExpireLoginCodes(before int64) error { return t.exec(codeExpire, before) }

// PutLoginToken writes a token, or who has accepted it.
func (t *Tx) PutLoginToken(l LoginToken) error {
	return t.exec(tokenPut, l.Hash, l.Kind, l.KeyID, l.User, l.Created, l.Except)
}

// LoginToken returns the token of a digest.
func (r *Reader) LoginToken(hash string) (LoginToken, error) {
	l := LoginToken{Hash: hash}
	err := r.one(tokenGet, []any{hash}, &l.Kind, &l.KeyID, &l.User, &l.Created, &l.Except)
	return l, err
}

// DeleteLoginToken forgets a token.
func (t *Tx) DeleteLoginToken(hash string) error { return t.exec(tokenDelete, hash) }

// ExpireLoginTokens forgets the tokens made before a time.
func (t *Tx) ExpireLoginTokens(before int64) error { return t.exec(tokenExpire, before) }

// Count adds n to a durable counter in a time slot, a Unix second, and returns the slot's count.
func (t *Tx) Count(subject string, slot, n int64) (sum int64, err error) {
	err = t.one(counterAdd, []any{subject, slot, n}, &sum)
	return sum, err
}

// Counted returns the sum of a counter since a slot.
func (r *Reader) Counted(subject string, since int64) (sum int64, err error) {
	err = r.one(counterSum, []any{subject, since}, &sum)
	return sum, err
}

// LastCounted returns the last slot since one in which a counter is above zero, 0 when none is.
func (r *Reader) LastCounted(subject string, since int64) (slot int64, err error) {
	err = r.one(counterLast, []any{subject, since}, &slot)
	return slot, err
}

// ExpireCounters forgets the slots before one.
func (t *Tx) ExpireCounters(before int64) error { return t.exec(counterExpire, before) }

// PutInvitation writes an invitation to the server.
func (t *Tx) PutInvitation(i Invitation) error {
	return t.exec(invitationPut, i.Hash, i.Creator, i.Created, i.Expires, i.Uses, i.Used)
}

// Invitation returns an invitation to the server.
func (r *Reader) Invitation(hash string) (Invitation, error) {
	i := Invitation{Hash: hash}
	err := r.one(invitationGet, []any{hash}, &i.Creator, &i.Created, &i.Expires, &i.Uses, &i.Used)
	return i, err
}

// Invitations returns all invitations to the server, oldest first.
func (r *Reader) Invitations() ([]Invitation, error) {
	var out []Invitation
	err := r.each(invitationAll, nil, func(row rows) error {
		var i Invitation
		err := row.Scan(&i.Hash, &i.Creator, &i.Created, &i.Expires, &i.Uses, &i.Used)
		out = append(out, i)
		return err
	})
	return out, err
}

// PutPassword writes a cloud password's record.
func (t *Tx) PutPassword(p Password) error {
	return t.exec(passwordPut, p.User, present(p.Salt1), present(p.Salt2), present(p.Verifier),
		p.Hint, p.Email, p.PendingEmail, present(p.PendingSalt1), present(p.PendingSalt2),
		present(p.PendingVerifier), p.PendingHint, p.Changed, p.ResetAfter)
}

// present makes no bytes an empty value, for columns that are never null.
func present(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Password returns a cloud password's record; ErrNotFound when the user has none.
func (r *Reader) Password(user ids.UserID) (Password, error) {
	p := Password{User: user}
	err := r.one(passwordGet, []any{user}, &p.Salt1, &p.Salt2, &p.Verifier, &p.Hint, &p.Email,
		&p.PendingEmail, &p.PendingSalt1, &p.PendingSalt2, &p.PendingVerifier,
		&p.PendingHint, &p.Changed, &p.ResetAfter)
	return p, err
}

// DeletePassword forgets a cloud password.
func (t *Tx) DeletePassword(user ids.UserID) error { return t.exec(passwordDelete, user) }
