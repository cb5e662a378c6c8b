package order_test

import (
	"slices"

	"parley/internal/safety"
	"parley/internal/safety/instrument"
	"parley/internal/safety/policy"
)

// instruments are enough of the law for the tests of this package: what each wants, and by when.
func instruments() []instrument.Instrument {
	h := func(n int) instrument.Length { return instrument.Length{N: n, Unit: instrument.Hours} }
	answer := func(ends instrument.Event, l instrument.Length, alarm int) instrument.Period {
		return instrument.Period{
			ID: "answer", Starts: instrument.Received, Ends: ends, Length: l,
			Pauses:  []instrument.Event{instrument.Incomplete},
			Resumes: []instrument.Event{instrument.Complete},
			Alarms:  []instrument.Length{{N: alarm, Unit: instrument.Minutes}},
		}
	}
	keep := instrument.Period{
		ID: "keep", Starts: instrument.Effected,
		Length: instrument.Length{N: 6, Unit: instrument.Months},
	}
	scrutiny := instrument.Period{
		ID: "scrutiny", Starts: instrument.Received, Ends: instrument.Scrutinised, Length: h(48),
		Alarms: []instrument.Length{h(24)},
	}
	common := []instrument.Field{
		instrument.Reference, instrument.Identity, instrument.LegalBasis, instrument.Reasons,
	}
	with := func(more ...instrument.Field) []instrument.Field {
		return append(slices.Clone(common), more...)
	}
	return []instrument.Instrument{
		{
			ID: instrument.Removal, Law: "Regulation (EU) 2021/784, Art. 3",
			Wants: with(instrument.Location, instrument.Issued, instrument.Signature,
				instrument.Redress),
			Periods: []instrument.Period{
				answer(instrument.Effected, h(1), 30), scrutiny, keep,
			},
		},
		{
			ID: instrument.Act, Law: "Regulation (EU) 2022/2065, Art. 9",
			Wants: with(instrument.Location, instrument.Redress, instrument.Territory,
				instrument.Language),
			Periods: []instrument.Period{answer(instrument.Informed, h(72), 60)},
		},
		{
			ID: instrument.Inform, Law: "Regulation (EU) 2022/2065, Art. 10",
			Wants: with(instrument.Accounts, instrument.Data, instrument.Necessity,
				instrument.Redress, instrument.Language),
			Periods: []instrument.Period{answer(instrument.Informed, h(240), 60)},
		},
		{
			ID: instrument.Production, Law: "Regulation (EU) 2023/1543, Form 1",
			Wants: with(instrument.Accounts, instrument.Data, instrument.Offence,
				instrument.Issued, instrument.Signature, instrument.Validation),
			Periods: []instrument.Period{answer(instrument.Effected, h(240), 60)},
		},
		{
			ID: instrument.Preservation, Law: "Regulation (EU) 2023/1543, Form 2",
			Wants: with(instrument.Accounts, instrument.Data, instrument.Offence,
				instrument.Issued, instrument.Signature),
			Periods: []instrument.Period{answer(instrument.Kept, h(1), 30), {
				ID: "keep", Starts: instrument.Kept,
				Length: instrument.Length{N: 60, Unit: instrument.Days},
			}},
		},
		{
			ID: instrument.List, Law: "the law of the regulator's country",
			Wants:   with(instrument.Location),
			Periods: []instrument.Period{answer(instrument.Informed, h(24), 60)},
		},
		{
			ID: instrument.Emergency, Law: "the law of the authority's country",
			Wants: []instrument.Field{
				instrument.Reference, instrument.Identity, instrument.Accounts, instrument.Data,
				instrument.Reasons, instrument.Supervisor,
			},
			Periods: []instrument.Period{answer(instrument.Informed, h(1), 30)},
		},
		{
			ID: instrument.Order, Law: "the law of the authority's country",
			Wants:   with(instrument.Issued, instrument.Signature),
			Periods: []instrument.Period{answer(instrument.Informed, h(72), 60)},
		},
	}
}

// judge is as strict as any policy may be expected to be, and no more than these tests need: what
// the rules of the service say is tested where they are.
func judge(q policy.Request) (policy.Verdict, error) {
	in, ok := byID(q.Ground.Instrument)
	v := policy.Verdict{Policy: "test", Periods: in.Periods}
	refuse := func(code policy.Code) (policy.Verdict, error) {
		v.Outcome = policy.Refused
		v.Refusals = []policy.Refusal{{Code: code, Rule: "test", Text: string(code)}}
		return v, nil
	}
	official := slices.Contains(instrument.Officials(), q.By.Kind)
	switch {
	case q.By.Suspended:
		return refuse("suspended")
	case !ok, !official:
		return refuse("no-authority")
	case slices.Contains(q.Asked.Data, policy.Secret), slices.Contains(q.Asked.Data,
		policy.Password), slices.Contains(q.Asked.Data, policy.Location):
		return refuse("not-held")
	case q.Asked.Target == policy.Whole:
		return refuse("bulk")
	case q.Content.Judged != nil && q.Content.Judged.Protected:
		return refuse("protected-speech")
	}
	for _, f := range in.Wants {
		if !slices.Contains(q.Ground.Has, f) {
			v.Missing = append(v.Missing, f)
		}
	}
	if len(v.Missing) > 0 || len(q.Ground.Manifest) > 0 {
		v.Outcome = policy.Incomplete
		return v, nil
	}
	if q.Urgency == instrument.Life && q.By.New {
		v.Outcome, v.Holds = policy.Held, []policy.Hold{policy.QuarantineHold}
		return v, nil
	}
	hour := q.Ground.Instrument == instrument.Removal
	if len(q.Content.Protected) > 0 && q.Content.Judged == nil && !hour {
		v.Outcome, v.Holds = policy.Held, []policy.Hold{policy.SpeechHold}
		return v, nil
	}
	return bounds(q, v, hour), nil
}

// bounds are what is allowed.
func bounds(q policy.Request, v policy.Verdict, hour bool) policy.Verdict {
	v.Outcome = policy.Allowed
	v.Verify = []policy.Check{policy.SenderCheck, policy.ManifestCheck}
	v.Sign = []policy.Signature{{Role: policy.Moderator, People: 1}, {Role: policy.Legal, People: 1}}
	v.Most = policy.Most{
		Measures: []safety.Measure{safety.Disable}, Target: policy.Item, Reversible: true,
		Territory: policy.Issuers, Data: q.Asked.Data,
	}
	switch {
	case hour:
		v.Most.Territory = policy.Instruments
		v.Sign = []policy.Signature{{Role: policy.Moderator, People: 1}}
		v.Duties = []policy.Duty{policy.ReviewBeside, policy.Scrutiny}
	case q.Urgency == instrument.Life:
		v.Verify = append(v.Verify, policy.CallBack, policy.SupervisorCheck)
	case q.Ground.Instrument == instrument.Act:
		v.Most.Territory = policy.AsOrdered
	}
	if q.Ground.Bar {
		v.Tell.When = policy.BarEnds
	}
	for _, c := range v.Verify {
		if !slices.Contains(q.By.Verified, c) {
			v.Unverified = append(v.Unverified, c)
		}
	}
	return v
}
