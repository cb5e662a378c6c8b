package store

// Staff is who works in the console.
type Staff struct {
	ID   int64
	Name string
	// Role is web/staff's; 0 for none.
	Role int64
	// Flags: bit 0 may not sign in.
	Flags   int64
	Created int64
	// Password is the encoded digest of a password, TOTP the sealed secret of one-time codes; both
	// empty when there is none. Step is the last time step whose code was used.
	Password string
	TOTP     []byte
	Step     int64
	// EnrolHash is the digest of the token of an enrolment link that was not used yet.
	EnrolHash    string
	EnrolExpires int64
}

// StaffCredential is a public key with which a member of staff signs in.
//
// https://www.w3.org/TR/webauthn-3/#credential-record
type StaffCredential struct {
	Staff   int64
	ID      string
	Body    []byte
	Created int64
	Used    int64
}

// StaffSession is a browser in which a member of staff is signed in. Hash is the digest of the
// secret in its cookie.
type StaffSession struct {
	Staff int64
	Hash  string
	// Binding is a digest of what the browser says of itself.
	Binding string
	Created int64
	Seen    int64
	// Strong is when its holder last proved who he is.
	Strong  int64
	Expires int64
}

// StaffRoleChange is a role that somebody proposed for a member of staff.
type StaffRoleChange struct {
	Staff    int64
	ID       int64
	Role     int64
	Proposer int64
	Proposed int64
	// Confirmer is -1 as long as nobody has confirmed it, and -2 when it was withdrawn.
	Confirmer int64
	Confirmed int64
}

// StaffAudit is one thing that a member of staff looked at, did, or was refused.
type StaffAudit struct {
	Staff  int64
	Number int64
	At     int64
	Action string
	// Outcome is "done" or "refused".
	Outcome string
	Subject int64
	Case    int64
	Detail  string
	// Chain is the digest of this row and of the chain of the row before it.
	Chain []byte
}

// StaffShift is what a member of staff has seen in his shift.
type StaffShift struct {
	Staff   int64
	Started int64
	// Run is since when he has worked without a break, Seen when he last looked at a case.
	Run     int64
	Seen    int64
	Cases   int64
	Reveals int64
	// RestUntil is until when he has to rest.
	RestUntil int64
}

const (
	staffColumns = `name, role, flags, created, password, totp, totp_step, enrol_hash,
		enrol_expires`
	auditColumns      = `number, at, action, outcome, subject_id, case_id, detail, chain`
	roleChangeColumns = `change_id, role, proposer, proposed, confirmer, confirmed`
)

var (
	staffNameGet = define("staff_name.get", "staff_names", "name",
		`select staff_id from staff_names where name = $1`)
	staffNamePut = define("staff_name.put", "staff_names", "name",
		`insert into staff_names (name, staff_id) values ($1, $2)`)
	staffGet = define("staff.get", "staff", "staff_id",
		`select `+staffColumns+` from staff where staff_id = $1`)
	staffPut = define("staff.put", "staff", "staff_id",
		`insert into staff (staff_id, `+staffColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		on conflict (staff_id) do update set role = excluded.role, flags = excluded.flags,
		password = excluded.password, totp = excluded.totp, totp_step = excluded.totp_step,
		enrol_hash = excluded.enrol_hash, enrol_expires = excluded.enrol_expires`)
	staffAll = define("staff.all", "staff", acrossShards,
		`select staff_id, `+staffColumns+` from staff order by name limit $1`)
	credentialPut = define("staff_credential.put", "staff_credentials", "staff_id",
		`insert into staff_credentials (staff_id, credential_id, body, created, used)
		values ($1, $2, $3, $4, $5)
		on conflict (staff_id, credential_id) do update set body = excluded.body,
		used = excluded.used`)
	credentialList = define("staff_credential.list", "staff_credentials", "staff_id",
		`select credential_id, body, created, used from staff_credentials where staff_id = $1
		order by created, credential_id`)
	credentialClear = define("staff_credential.clear", "staff_credentials", "staff_id",
		`delete from staff_credentials where staff_id = $1`)
	staffSessionGet = define("staff_session.get", "staff_sessions", "staff_id",
		`select binding, created, seen, strong, expires from staff_sessions
		where staff_id = $1 and hash = $2`)
	staffSessionPut = define("staff_session.put", "staff_sessions", "staff_id",
		`insert into staff_sessions (staff_id, hash, binding, created, seen, strong, expires)
		values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (staff_id, hash) do update set seen = excluded.seen,
		strong = excluded.strong, expires = excluded.expires`)
	staffSessionDelete = define("staff_session.delete", "staff_sessions", "staff_id",
		`delete from staff_sessions where staff_id = $1 and hash = $2`)
	staffSessionClear = define("staff_session.clear", "staff_sessions", "staff_id",
		`delete from staff_sessions where staff_id = $1`)
	staffSessionExpire = define("staff_session.expire", "staff_sessions", acrossShards,
		`delete from staff_sessions where expires < $1`)
	roleChangePut = define("staff_role_change.put", "staff_role_changes", "staff_id",
		`insert into staff_role_changes (staff_id, `+roleChangeColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (staff_id, change_id) do update set confirmer = excluded.confirmer,
		confirmed = excluded.confirmed`)
	roleChangeGet = define("staff_role_change.get", "staff_role_changes", "staff_id",
		`select `+roleChangeColumns+` from staff_role_changes
		where staff_id = $1 and change_id = $2`)
	roleChangeOpen = define("staff_role_change.open", "staff_role_changes", acrossShards,
		`select staff_id, `+roleChangeColumns+` from staff_role_changes where confirmer = -1
		order by proposed limit $1`)
	auditPut = define("staff_audit.put", "staff_audit", "staff_id",
		`insert into staff_audit (staff_id, `+auditColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`)
	auditLast = define("staff_audit.last", "staff_audit", "staff_id",
		`select number, chain from staff_audit where staff_id = $1 order by number desc limit 1`)
	auditList = define("staff_audit.list", "staff_audit", "staff_id",
		`select `+auditColumns+` from staff_audit where staff_id = $1 and number < $2
		order by number desc limit $3`)
	auditCases = define("staff_audit.cases", "staff_audit", "staff_id",
		`select count(distinct case_id) from staff_audit where staff_id = $1 and action = $2
		and at > $3 and outcome = 'done' and case_id <> $4`)
	auditSeen = define("staff_audit.seen", "staff_audit", "staff_id",
		`select count(*) from (select 1 from staff_audit where staff_id = $1 and action = $2
		and at > $3 and outcome = 'done' and case_id = $4 limit 1) as taken`)
	auditAll = define("staff_audit.all", "staff_audit", acrossShards,
		`select staff_id, `+auditColumns+` from staff_audit where at >= $1
		and (at, staff_id, number) < ($2, $3, $4)
		order by at desc, staff_id desc, number desc limit $5`)
	auditActs = define("staff_audit.acts", "staff_audit", acrossShards,
		`select staff_id, `+auditColumns+` from staff_audit where at >= $1
		and (at, staff_id, number) < ($2, $3, $4) and action = $6
		order by at desc, staff_id desc, number desc limit $5`)
	auditOf = define("staff_audit.of", "staff_audit", "staff_id",
		`select staff_id, `+auditColumns+` from staff_audit where staff_id = $1 and at >= $2
		and number < $3 and ($4 = '' or action = $4) order by number desc limit $5`)
	shiftGet = define("staff_shift.get", "staff_shifts", "staff_id",
		`select started, run, seen, cases, reveals, rest_until from staff_shifts
		where staff_id = $1`)
	shiftPut = define("staff_shift.put", "staff_shifts", "staff_id",
		`insert into staff_shifts (staff_id, started, run, seen, cases, reveals, rest_until)
		values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (staff_id) do update set started = excluded.started, run = excluded.run,
		seen = excluded.seen, cases = excluded.cases, reveals = excluded.reveals,
		rest_until = excluded.rest_until`)
)

func (s *Staff) fields() []any {
	return []any{
		&s.Name, &s.Role, &s.Flags, &s.Created, &s.Password, &s.TOTP, &s.Step, &s.EnrolHash,
		&s.EnrolExpires,
	}
}

// StaffByName returns the member of staff of that name, given in its folded form.
func (r *Reader) StaffByName(name string) (id int64, err error) {
	err = r.one(staffNameGet, []any{name}, &id)
	return id, err
}

// TakeStaffName gives a name to a member of staff; ErrConflict when it is taken.
func (t *Tx) TakeStaffName(name string, staff int64) error {
	return t.exec(staffNamePut, name, staff)
}

// Staff returns a member of staff.
func (r *Reader) Staff(id int64) (Staff, error) {
	s := Staff{ID: id}
	err := r.one(staffGet, []any{id}, s.fields()...)
	return s, err
}

// PutStaff writes a member of staff as a whole, but for a name that is known already.
func (t *Tx) PutStaff(s Staff) error {
	if s.TOTP == nil {
		s.TOTP = []byte{}
	}
	return t.exec(staffPut, s.ID, s.Name, s.Role, s.Flags, s.Created, s.Password, s.TOTP, s.Step,
		s.EnrolHash, s.EnrolExpires)
}

// AllStaff returns up to limit members of staff by name.
func (r *Reader) AllStaff(limit int) (out []Staff, err error) {
	err = r.each(staffAll, []any{limit}, func(row rows) error {
		var s Staff
		err := row.Scan(append([]any{&s.ID}, s.fields()...)...)
		out = append(out, s)
		return err
	})
	return out, err
}

// PutStaffCredential writes a public key of a member of staff.
func (t *Tx) PutStaffCredential(c StaffCredential) error {
	return t.exec(credentialPut, c.Staff, c.ID, c.Body, c.Created, c.Used)
}

// StaffCredentials returns the public keys of a member of staff.
func (r *Reader) StaffCredentials(staff int64) (out []StaffCredential, err error) {
	err = r.each(credentialList, []any{staff}, func(row rows) error {
		c := StaffCredential{Staff: staff}
		err := row.Scan(&c.ID, &c.Body, &c.Created, &c.Used)
		out = append(out, c)
		return err
	})
	return out, err
}

// ForgetStaffCredentials removes all public keys of a member of staff.
func (t *Tx) ForgetStaffCredentials(staff int64) error { return t.exec(credentialClear, staff) }

// StaffSession returns a signed-in browser.
func (r *Reader) StaffSession(staff int64, hash string) (StaffSession, error) {
	s := StaffSession{Staff: staff, Hash: hash}
	err := r.one(staffSessionGet, []any{staff, hash}, &s.Binding, &s.Created, &s.Seen, &s.Strong,
		&s.Expires)
	return s, err
}

// PutStaffSession writes a signed-in browser.
func (t *Tx) PutStaffSession(s StaffSession) error {
	return t.exec(staffSessionPut, s.Staff, s.Hash, s.Binding, s.Created, s.Seen, s.Strong,
		s.Expires)
}

// EndStaffSession signs a browser out.
func (t *Tx) EndStaffSession(staff int64, hash string) error {
	return t.exec(staffSessionDelete, staff, hash)
}

// EndStaffSessions signs a member of staff out everywhere.
func (t *Tx) EndStaffSessions(staff int64) error { return t.exec(staffSessionClear, staff) }

// ExpireStaffSessions forgets the sessions that ended before a time.
func (t *Tx) ExpireStaffSessions(before int64) error { return t.exec(staffSessionExpire, before) }

// PutStaffRoleChange writes a proposed role, or who confirmed it. The database refuses that one
// person does both.
func (t *Tx) PutStaffRoleChange(c StaffRoleChange) error {
	return t.exec(roleChangePut, c.Staff, c.ID, c.Role, c.Proposer, c.Proposed, c.Confirmer,
		c.Confirmed)
}

// StaffRoleChange returns a proposed role.
func (r *Reader) StaffRoleChange(staff, change int64) (StaffRoleChange, error) {
	c := StaffRoleChange{Staff: staff}
	err := r.one(roleChangeGet, []any{staff, change}, &c.ID, &c.Role, &c.Proposer, &c.Proposed,
		&c.Confirmer, &c.Confirmed)
	return c, err
}

// OpenStaffRoleChanges returns up to limit proposed roles that await a second person.
func (r *Reader) OpenStaffRoleChanges(limit int) (out []StaffRoleChange, err error) {
	err = r.each(roleChangeOpen, []any{limit}, func(row rows) error {
		var c StaffRoleChange
		err := row.Scan(&c.Staff, &c.ID, &c.Role, &c.Proposer, &c.Proposed, &c.Confirmer,
			&c.Confirmed)
		out = append(out, c)
		return err
	})
	return out, err
}

// AddStaffAudit appends to the audit of a member of staff.
func (t *Tx) AddStaffAudit(a StaffAudit) error {
	return t.exec(auditPut, a.Staff, a.Number, a.At, a.Action, a.Outcome, a.Subject, a.Case,
		a.Detail, a.Chain)
}

// LastStaffAudit returns number and chain of the last row of a member of staff.
func (r *Reader) LastStaffAudit(staff int64) (a StaffAudit, err error) {
	a.Staff = staff
	err = r.one(auditLast, []any{staff}, &a.Number, &a.Chain)
	return a, err
}

// StaffAudits returns up to limit rows of a member of staff below a number, the last first.
func (r *Reader) StaffAudits(staff, below int64, limit int) (out []StaffAudit, err error) {
	err = r.each(auditList, []any{staff, below, limit}, func(row rows) error {
		a := StaffAudit{Staff: staff}
		err := row.Scan(&a.Number, &a.At, &a.Action, &a.Outcome, &a.Subject, &a.Case, &a.Detail,
			&a.Chain)
		out = append(out, a)
		return err
	})
	return out, err
}

// CountStaffCases tells of how many cases but one a member of staff has an act in his audit that
// was done after a time, and whether of that one as well.
func (r *Reader) CountStaffCases(
	staff int64, action string, after, but int64,
) (others int64, seen bool, err error) {
	if err = r.one(auditCases, []any{staff, action, after, but}, &others); err != nil {
		return 0, false, err
	}
	var n int64
	err = r.one(auditSeen, []any{staff, action, after, but}, &n)
	return others, n > 0, err
}

// AuditPlace is a place in the audit of all staff; the last rows have the highest.
type AuditPlace struct{ At, Staff, Number int64 }

// Place is where a row stands in the audit of all staff.
func (a StaffAudit) Place() AuditPlace { return AuditPlace{a.At, a.Staff, a.Number} }

// AuditFilter names rows of the audit.
type AuditFilter struct {
	// Staff is whose, 0 for everybody's; Action is what was done, empty for anything.
	Staff  int64
	Action string
	// Since is from when on, in Unix seconds; Below are those before a place.
	Since int64
	Below AuditPlace
}

// FilteredAudits returns up to limit rows of the audit that a filter names, the last first.
func (r *Reader) FilteredAudits(f AuditFilter, limit int) (out []StaffAudit, err error) {
	at := f.Below
	st, args := auditAll, []any{f.Since, at.At, at.Staff, at.Number, limit}
	switch {
	case f.Staff != 0:
		st, args = auditOf, []any{f.Staff, f.Since, at.Number, f.Action, limit}
	case f.Action != "":
		st, args = auditActs, append(args, f.Action)
	}
	err = r.each(st, args, func(row rows) error {
		var a StaffAudit
		err := row.Scan(&a.Staff, &a.Number, &a.At, &a.Action, &a.Outcome, &a.Subject, &a.Case,
			&a.Detail, &a.Chain)
		out = append(out, a)
		return err
	})
	return out, err
}

// StaffShift returns what a member of staff has seen in his shift.
func (r *Reader) StaffShift(staff int64) (StaffShift, error) {
	s := StaffShift{Staff: staff}
	err := r.one(shiftGet, []any{staff}, &s.Started, &s.Run, &s.Seen, &s.Cases, &s.Reveals,
		&s.RestUntil)
	return s, err
}

// PutStaffShift writes what a member of staff has seen in his shift.
func (t *Tx) PutStaffShift(s StaffShift) error {
	return t.exec(shiftPut, s.Staff, s.Started, s.Run, s.Seen, s.Cases, s.Reveals, s.RestUntil)
}
