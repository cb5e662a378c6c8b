package store

// Agency is an authority or another body with a door of its own. What its numbers mean is told by
// safety/agency. Times are Unix seconds.
type Agency struct {
	ID      int64
	Name    string
	Country string
	Kind    int64
	State   int64
	Lang    string
	// ProposedBy and ApprovedBy are two members of staff; ApprovedBy is 0 until there is one.
	ProposedBy, ApprovedBy int64
	Created, Approved      int64
	// Attest is until when its standing has to be confirmed again.
	Attest int64
	Body   []byte
}

// Officer is a person of an agency.
type Officer struct {
	Agency, ID int64
	Name       string
	Role       int64
	State      int64
	// ProposedBy and ApprovedBy are two members of staff; ApprovedBy is 0 until there is one.
	ProposedBy, ApprovedBy int64
	Created                int64
	// Bound is since when he has a key, 0 while he has none.
	Bound  int64
	Attest int64
	// EnrolHash is the digest of the token of an enrolment link that was not used yet.
	EnrolHash    string
	EnrolExpires int64
}

// OfficerCredential is a public key with which an officer signs in.
//
// https://www.w3.org/TR/webauthn-3/#credential-record
type OfficerCredential struct {
	Agency, Officer int64
	ID              string
	Body            []byte
	Created, Used   int64
}

// AgencyKey is a key with which a program of an agency signs in. Hash is the digest of its secret.
type AgencyKey struct {
	Agency, ID int64
	Label      string
	Hash       string
	// Staff is who issued it.
	Staff            int64
	Created, Expires int64
	// Revoked is when it was taken back, 0 while it is good.
	Revoked int64
}

// AgencyEvent is something that happened to an agency, or that one of its people did.
type AgencyEvent struct {
	Agency, N, At  int64
	Staff, Officer int64
	Kind           int64
	Body           []byte
}

const (
	agencyColumns = `agency_id, name, country, kind, state, lang, proposed_by, approved_by,
		created, approved, attest, body`
	officerColumns = `agency_id, officer_id, name, role, state, proposed_by, approved_by, created,
		bound, attest, enrol_hash, enrol_expires`
	agencyKeyColumns = `agency_id, key_id, label, hash, staff, created, expires, revoked`
)

var (
	agencyNamePut = define("agency_name.put", "agency_names", "name",
		`insert into agency_names (name, agency_id) values ($1, $2)`)
	agencyNameGet = define("agency_name.get", "agency_names", "name",
		`select agency_id from agency_names where name = $1`)
	agencyPut = define("agency.put", "agencies", "agency_id",
		`insert into agencies (`+agencyColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		on conflict (agency_id) do update set state = excluded.state, lang = excluded.lang,
		proposed_by = excluded.proposed_by, approved_by = excluded.approved_by,
		approved = excluded.approved, attest = excluded.attest, body = excluded.body`)
	agencyGet = define("agency.get", "agencies", "agency_id",
		`select `+agencyColumns+` from agencies where agency_id = $1`)
	agencyAll = define("agency.all", "agencies", acrossShards,
		`select `+agencyColumns+` from agencies where agency_id > $1 order by agency_id limit $2`)
	agencyLapsing = define("agency.lapsing", "agencies", acrossShards,
		`select `+agencyColumns+` from agencies where state = 3 and attest < $1
		order by attest, agency_id limit $2`)
	officerPut = define("officer.put", "officers", "agency_id",
		`insert into officers (`+officerColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		on conflict (agency_id, officer_id) do update set role = excluded.role,
		state = excluded.state, proposed_by = excluded.proposed_by,
		approved_by = excluded.approved_by, bound = excluded.bound, attest = excluded.attest,
		enrol_hash = excluded.enrol_hash, enrol_expires = excluded.enrol_expires`)
	officerGet = define("officer.get", "officers", "agency_id",
		`select `+officerColumns+` from officers where agency_id = $1 and officer_id = $2`)
	officerList = define("officer.list", "officers", "agency_id",
		`select `+officerColumns+` from officers where agency_id = $1
		order by officer_id limit $2`)
	officerKeyPut = define("officer_credential.put", "officer_credentials", "agency_id",
		`insert into officer_credentials (agency_id, officer_id, credential_id, body, created, used)
		values ($1, $2, $3, $4, $5, $6)
		on conflict (agency_id, credential_id) do update set body = excluded.body,
		used = excluded.used`)
	officerKeyList = define("officer_credential.list", "officer_credentials", "agency_id",
		`select credential_id, body, created, used from officer_credentials
		where agency_id = $1 and officer_id = $2 order by created, credential_id`)
	officerKeyClear = define("officer_credential.clear", "officer_credentials", "agency_id",
		`delete from officer_credentials where agency_id = $1 and officer_id = $2`)
	agencyKeyPut = define("agency_key.put", "agency_keys", "agency_id",
		`insert into agency_keys (`+agencyKeyColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (agency_id, key_id) do update set revoked = excluded.revoked`)
	agencyKeyList = define("agency_key.list", "agency_keys", "agency_id",
		`select `+agencyKeyColumns+` from agency_keys where agency_id = $1 order by key_id
		limit $2`)
	agencyEventAdd = define("agency_event.add", "agency_events", "agency_id",
		`insert into agency_events (agency_id, n, at, staff, officer, kind, body)
		values ($1, $2, $3, $4, $5, $6, $7)`)
	agencyEventList = define("agency_event.list", "agency_events", "agency_id",
		`select agency_id, n, at, staff, officer, kind, body from agency_events
		where agency_id = $1 and n < $2 order by n desc limit $3`)
	agencyEventLast = define("agency_event.last", "agency_events", "agency_id",
		`select coalesce(max(n), 0) from agency_events where agency_id = $1`)
)

// TakeAgencyName gives a name to an agency; ErrConflict when it is taken.
func (t *Tx) TakeAgencyName(name string, agency int64) error {
	return t.exec(agencyNamePut, name, agency)
}

// AgencyByName returns the agency of that name, given in its folded form.
func (r *Reader) AgencyByName(name string) (id int64, err error) {
	err = r.one(agencyNameGet, []any{name}, &id)
	return id, err
}

// PutAgency writes an agency, but for its name, country and kind when it is known already.
func (t *Tx) PutAgency(a Agency) error {
	return t.exec(agencyPut, a.ID, a.Name, a.Country, a.Kind, a.State, a.Lang, a.ProposedBy,
		a.ApprovedBy, a.Created, a.Approved, a.Attest, a.Body)
}

// Agency returns an agency.
func (r *Reader) Agency(id int64) (Agency, error) {
	list, err := r.agencies(agencyGet, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Agency{}, err
	}
	return list[0], nil
}

// Agencies returns up to limit agencies with ids above one, the oldest first.
func (r *Reader) Agencies(after int64, limit int) ([]Agency, error) {
	return r.agencies(agencyAll, after, limit)
}

// LapsingAgencies returns up to limit active agencies whose standing had to be confirmed before a
// time, the longest ago first.
func (r *Reader) LapsingAgencies(before int64, limit int) ([]Agency, error) {
	return r.agencies(agencyLapsing, before, limit)
}

func (r *Reader) agencies(st *statement, args ...any) (out []Agency, err error) {
	err = r.each(st, args, func(row rows) error {
		var a Agency
		err := row.Scan(&a.ID, &a.Name, &a.Country, &a.Kind, &a.State, &a.Lang, &a.ProposedBy,
			&a.ApprovedBy, &a.Created, &a.Approved, &a.Attest, &a.Body)
		out = append(out, a)
		return err
	})
	return out, err
}

// PutOfficer writes an officer, but for a name that is known already.
func (t *Tx) PutOfficer(o Officer) error {
	return t.exec(officerPut, o.Agency, o.ID, o.Name, o.Role, o.State, o.ProposedBy, o.ApprovedBy,
		o.Created, o.Bound, o.Attest, o.EnrolHash, o.EnrolExpires)
}

// Officer returns an officer of an agency.
func (r *Reader) Officer(agency, id int64) (Officer, error) {
	list, err := r.officers(officerGet, agency, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Officer{}, err
	}
	return list[0], nil
}

// Officers returns up to limit officers of an agency, the oldest first.
func (r *Reader) Officers(agency int64, limit int) ([]Officer, error) {
	return r.officers(officerList, agency, limit)
}

func (r *Reader) officers(st *statement, args ...any) (out []Officer, err error) {
	err = r.each(st, args, func(row rows) error {
		var o Officer
		err := row.Scan(&o.Agency, &o.ID, &o.Name, &o.Role, &o.State, &o.ProposedBy, &o.ApprovedBy,
			&o.Created, &o.Bound, &o.Attest, &o.EnrolHash, &o.EnrolExpires)
		out = append(out, o)
		return err
	})
	return out, err
}

// PutOfficerCredential writes a public key of an officer.
func (t *Tx) PutOfficerCredential(c OfficerCredential) error {
	return t.exec(officerKeyPut, c.Agency, c.Officer, c.ID, c.Body, c.Created, c.Used)
}

// OfficerCredentials returns the public keys of an officer.
func (r *Reader) OfficerCredentials(agency, officer int64) (out []OfficerCredential, err error) {
	err = r.each(officerKeyList, []any{agency, officer}, func(row rows) error {
		c := OfficerCredential{Agency: agency, Officer: officer}
		err := row.Scan(&c.ID, &c.Body, &c.Created, &c.Used)
		out = append(out, c)
		return err
	})
	return out, err
}

// ForgetOfficerCredentials removes all public keys of an officer.
func (t *Tx) ForgetOfficerCredentials(agency, officer int64) error {
	return t.exec(officerKeyClear, agency, officer)
}

// PutAgencyKey writes a program's key, or that it was taken back.
func (t *Tx) PutAgencyKey(k AgencyKey) error {
	return t.exec(agencyKeyPut, k.Agency, k.ID, k.Label, k.Hash, k.Staff, k.Created, k.Expires,
		k.Revoked)
}

// AgencyKeys returns up to limit keys of an agency's programs, the oldest first.
func (r *Reader) AgencyKeys(agency int64, limit int) (out []AgencyKey, err error) {
	err = r.each(agencyKeyList, []any{agency, limit}, func(row rows) error {
		var k AgencyKey
		err := row.Scan(&k.Agency, &k.ID, &k.Label, &k.Hash, &k.Staff, &k.Created, &k.Expires,
			&k.Revoked)
		out = append(out, k)
		return err
	})
	return out, err
}

// AddAgencyEvent appends to what happened to an agency.
func (t *Tx) AddAgencyEvent(e AgencyEvent) error {
	return t.exec(agencyEventAdd, e.Agency, e.N, e.At, e.Staff, e.Officer, e.Kind, e.Body)
}

// LastAgencyEvent returns the number of the last event of an agency, 0 when there is none.
func (r *Reader) LastAgencyEvent(agency int64) (n int64, err error) {
	err = r.one(agencyEventLast, []any{agency}, &n)
	return n, err
}

// AgencyEvents returns up to limit events of an agency below a number, the last first.
func (r *Reader) AgencyEvents(agency, below int64, limit int) (out []AgencyEvent, err error) {
	err = r.each(agencyEventList, []any{agency, below, limit}, func(row rows) error {
		var e AgencyEvent
		err := row.Scan(&e.Agency, &e.N, &e.At, &e.Staff, &e.Officer, &e.Kind, &e.Body)
		out = append(out, e)
		return err
	})
	return out, err
}
