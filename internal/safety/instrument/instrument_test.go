package instrument

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// at is a time in Brussels.
func at(t *testing.T, text string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		t.Fatal(err)
	}
	out, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// period is a period of an instrument.
func period(t *testing.T, id ID, name string) Period {
	t.Helper()
	s, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	in, ok := s.Get(id)
	i := slices.IndexFunc(in.Periods, func(p Period) bool { return p.ID == name })
	if !ok || i < 0 {
		t.Fatalf("%s has no period %s", id, name)
	}
	return in.Periods[i]
}

// TestLength: lengths of time in all units, over the end of months, and where clocks are changed.
func TestLength(t *testing.T) {
	c := Calendar{Zone: at(t, "2026-01-01 00:00").Location(), Holidays: []string{"2026-04-06"}}
	for _, x := range []struct{ from, length, want string }{
		{"2026-03-02 09:00", "1h", "2026-03-02 10:00"},
		{"2026-03-02 09:00", "45min", "2026-03-02 09:45"},
		{"2026-03-29 01:30", "1h", "2026-03-29 03:30"}, // summer time begins
		{"2026-03-28 12:00", "1d", "2026-03-29 12:00"},
		{"2026-01-31 12:00", "1mo", "2026-02-28 12:00"},
		{"2026-08-31 12:00", "6mo", "2027-02-28 12:00"},
		{"2026-03-02 09:00", "6mo", "2026-09-02 09:00"},
		{"2026-04-03 09:00", "1wd", "2026-04-07 09:00"}, // Easter Monday is a holiday
		{"2026-04-04 09:00", "10wd", "2026-04-20 09:00"},
	} {
		l, err := ParseLength(x.length)
		if got := c.after(at(t, x.from), l); err != nil || !got.Equal(at(t, x.want)) {
			t.Errorf("%s after %s is %s, not %s: %v", x.length, x.from, got, x.want, err)
		}
	}
	friday := Calendar{Weekend: []time.Weekday{time.Friday, time.Saturday}}
	if friday.Works(at(t, "2026-03-06 12:00")) || !friday.Works(at(t, "2026-03-08 12:00")) {
		t.Error("a weekend on Friday and Saturday")
	}
	for _, bad := range []string{"1", "h", "0h", "-1h", "1y", "1.5h", "99999d", "1h "} {
		if _, err := ParseLength(bad); err == nil {
			t.Errorf("%q is a length", bad)
		}
	}
}

// TestCivil: a month for an answer ends with its last day; if that is a Sunday, with the Monday.
func TestCivil(t *testing.T) {
	p := period(t, "gdpr-15", "answer")
	c := Calendar{Zone: at(t, "2026-01-01 00:00").Location()}
	for _, x := range []struct {
		from, want string
		longer     bool
	}{
		{"2026-01-14 16:00", "2026-02-17 00:00", false}, // the 14th of February is a Saturday
		{"2026-02-10 00:30", "2026-03-11 00:00", false},
		{"2026-02-10 00:30", "2026-05-12 00:00", true}, // the 10th of May is a Sunday
	} {
		events := []Happened{{Received, at(t, x.from)}}
		if x.longer {
			events = append(events, Happened{Extended, at(t, "2026-02-20 09:00")})
		}
		s := p.Status(at(t, "2026-02-25 12:00"), events, c)
		if !s.Due.Equal(at(t, x.want)) || s.Own {
			t.Errorf("from %s it is due %s, not %s", x.from, s.Due, x.want)
		}
	}
}

// TestHour is the life of the hour of a removal order.
func TestHour(t *testing.T) {
	p, c := period(t, Removal, "answer"), Calendar{}
	day := func(clock string) time.Time { return at(t, "2026-03-02 "+clock) }
	received := Happened{Received, day("09:00")}
	for name, x := range map[string]struct {
		events []Happened
		now    string
		state  State
		due    string
		left   time.Duration
		alarms int
	}{
		"nothing has come": {nil, "09:00", Waiting, "", 0, 0},
		"the future":       {[]Happened{received}, "08:59", Waiting, "", 0, 0},
		"at once":          {[]Happened{received}, "09:00", Running, "10:00", time.Hour, 0},
		"ten minutes":      {[]Happened{received}, "09:10", Running, "10:00", 50 * time.Minute, 1},
		"a quarter left":   {[]Happened{received}, "09:45", Running, "10:00", 15 * time.Minute, 3},
		"the last moment":  {[]Happened{received}, "10:00", Running, "10:00", 0, 4},
		"over":             {[]Happened{received}, "10:01", Breached, "10:00", 0, 4},
		"in time": {[]Happened{received, {Effected, day("09:20")}}, "12:00", Met, "10:00",
			0, 0},
		"late": {[]Happened{received, {Effected, day("10:20")}}, "12:00", Late, "10:00",
			0, 0},
		"asked back": {[]Happened{received, {Incomplete, day("09:20")}}, "11:00", Paused, "",
			40 * time.Minute, 0},
		"asked back too late": {[]Happened{received, {Incomplete, day("10:20")}}, "11:00", Breached,
			"10:00", 0, 4},
		"it begins anew": {[]Happened{
			received, {Incomplete, day("09:20")}, {Complete, day("11:00")},
		}, "11:30", Running, "12:00", 30 * time.Minute, 2},
		"in any order": {[]Happened{
			{Complete, day("11:00")}, {Incomplete, day("09:20")}, received,
		}, "11:30", Running, "12:00", 30 * time.Minute, 2},
		"sent twice": {[]Happened{received, {Received, day("09:30")}}, "09:40", Running, "10:00",
			20 * time.Minute, 2},
	} {
		s := p.Status(day(x.now), x.events, c)
		var due time.Time
		if x.due != "" {
			due = day(x.due)
		}
		if s.State != x.state || !s.Due.Equal(due) || s.Left != x.left || s.Alarms != x.alarms {
			t.Errorf("%s: %+v, want %+v", name, s, x)
		}
	}
}

// TestResume: the ten days of a certificate continue where they stopped, and an emergency has its
// own hours.
func TestResume(t *testing.T) {
	p := period(t, Production, "answer")
	s := p.Status(at(t, "2026-03-08 09:00"), []Happened{
		{Received, at(t, "2026-03-02 09:00")}, {Incomplete, at(t, "2026-03-04 09:00")},
		{Complete, at(t, "2026-03-07 09:00")},
	}, Calendar{})
	if s.State != Running || !s.Due.Equal(at(t, "2026-03-15 09:00")) || s.Left != 7*24*time.Hour {
		t.Errorf("%+v", s)
	}
	if p.Holds(Life, false) || !p.Holds("", false) ||
		!period(t, Production, "emergency").Holds(Life, false) {
		t.Error("emergencies have the wrong period")
	}
}

// TestKeeping: what is kept is kept until its time is over, longer if that was asked, and nothing
// is breached by that.
func TestKeeping(t *testing.T) {
	p := period(t, Preservation, "keep")
	kept := Happened{Kept, at(t, "2026-03-02 09:00")}
	for _, x := range []struct {
		now    string
		longer bool
		want   State
	}{
		{"2026-05-01 08:00", false, Running}, {"2026-05-01 10:01", false, Over},
		{"2026-05-01 10:00", true, Running}, {"2026-06-01 10:00", true, Over},
	} {
		events := []Happened{kept}
		if x.longer {
			events = append(events, Happened{Extended, at(t, "2026-04-20 09:00")})
		}
		if s := p.Status(at(t, x.now), events, Calendar{}); s.State != x.want {
			t.Errorf("%s: %+v", x.now, s)
		}
	}
	promise := period(t, Act, "answer").Status(at(t, "2026-03-02 09:00"),
		[]Happened{{Received, at(t, "2026-03-02 09:00")}}, Calendar{})
	if !promise.Own || !promise.Next.Equal(at(t, "2026-03-04 09:00")) {
		t.Errorf("a promise: %+v", promise)
	}
}

// TestBadSets: what is wrong with a file of instruments is said.
func TestBadSets(t *testing.T) {
	good := `[[instrument]]
id = "x"
log = "X"
name = "N"
law = "L"
issuers = ["any"]
serves = [{ by = ["court"], for = ["illegal"] }]
door = "people"
wants = []
  [[instrument.period]]
  id = "answer"
  duty = "answer"
  starts = "received"
  ends = "informed"
  target = "1h"
  article = "A"
`
	if _, err := Read([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{`door = "people"`, `door = "cellar"`, `no door "cellar"`},
		{`"court"`, `"king"`, `no requester "king"`},
		{`"illegal"`, `"fun"`, `no purpose "fun"`},
		{`wants = []`, `wants = ["money"]`, `no field "money"`},
		{`"received"`, `"sometime"`, "no event"},
		{`target = "1h"`, `target = "1x"`, "no length"},
		{`target = "1h"`, "target = \"1h\"\n  length = \"1h\"", "not both"},
		{`target = "1h"`, "target = \"1h\"\n  pauses = [\"incomplete\"]", "must resume"},
		{`target = "1h"`, "target = \"1h\"\n  alarms = [\"1mo\"]", "alarms"},
		{`id = "answer"`, `id = "other"`, "no period"},
		{`law = "L"`, `lore = "L"`, "lore"},
		{`log = "X"`, `log = `, "line 3"},
	} {
		_, err := Read([]byte(strings.Replace(good, c[0], c[1], 1)))
		if err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: %v", c[1], err)
		}
	}
	if _, err := Read([]byte(good + good)); err == nil {
		t.Error("an instrument may stand twice")
	}
}

// FuzzStatus: whatever happens in whatever order, a status is one that can be.
func FuzzStatus(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5})
	set, err := Builtin()
	if err != nil {
		f.Fatal(err)
	}
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, story []byte) {
		var events []Happened
		for i, b := range story {
			event := Events()[int(b)%len(Events())]
			events = append(events, Happened{event, start.Add(time.Duration(i) * time.Hour)})
		}
		for _, in := range set.All() {
			for _, p := range in.Periods {
				s := p.Status(start.Add(100*time.Hour), events, Calendar{})
				if s.Left < 0 || s.State == Paused && !s.Due.IsZero() ||
					s.State == Waiting != s.Started.IsZero() || s.Alarms > len(p.Alarms) {
					t.Fatalf("%s %s: %+v", in.ID, p.ID, s)
				}
			}
		}
	})
}

// FuzzParseLength: what is read is written the same.
func FuzzParseLength(f *testing.F) {
	for _, seed := range []string{"1h", "10d", "3wd", "6mo", "45min", "", "0h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseLength(text)
		if err != nil {
			return
		}
		if again, err := ParseLength(l.String()); err != nil || again != l {
			t.Fatalf("%q became %v and then %v: %v", text, l, again, err)
		}
	})
}
