package decide

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/safety"
	"parley/internal/store"
)

// row is a draft as it is stored.
func row(d Draft, id, now int64) (store.Decision, error) {
	measures, err := cbor.Marshal(d.Measures)
	if err != nil {
		return store.Decision{}, fmt.Errorf("decide: measures: %w", err)
	}
	out := store.Decision{
		Subject: d.Subject.Peer, ID: id, Case: d.Case, Kind: int64(d.Subject.Kind),
		Item: d.Subject.Item, Author: d.Subject.Author, Ground: string(d.Ground),
		Reference: d.Reference, Explanation: d.Explanation, Facts: d.Facts,
		Category: string(d.Category), Keywords: joined(d.Keywords), Measures: measures,
		Automation: string(d.Means.Decided), Source: string(d.Source), Lang: d.Lang,
		ContentType: joined(d.ContentType), By: d.By.Staff, Rule: d.By.Rule, Created: now,
		Ends: ends(d.Measures),
	}
	if d.Means.Detected {
		out.Flags |= detected
	}
	if d.NoStatement {
		out.Flags |= noStatement
	}
	if d.Article9 {
		out.Flags |= article9
	}
	if d.Ordered {
		out.Flags |= ordered
	}
	if d.Bar != nil {
		out.Flags |= barred
	}
	if isSample(out) {
		out.Flags |= sampled
	}
	return out, nil
}

// ends is when the last of some measures ends by itself, 0 when one of them does not.
func ends(measures []safety.MeasureSpec) (last int64) {
	for _, m := range measures {
		if m.Ends == 0 {
			return 0
		}
		last = max(last, m.Ends)
	}
	return last
}

// sampleOneIn is which part of the decisions that nobody is told of, or that no person made, are
// looked at again.
const sampleOneIn = 50

// isSample draws the sample by the random part of a decision's id.
func isSample(x store.Decision) bool {
	unseen := x.Flags&noStatement != 0 ||
		safety.Automation(x.Automation) == safety.FullyAutomated
	return unseen && x.ID&(1<<20-1)%sampleOneIn == 0
}

// read is a decision as it was stored.
func read(x store.Decision) (Decision, error) {
	d := Decision{
		Draft: Draft{
			Case: x.Case,
			Subject: safety.Subject{
				Peer: x.Subject, Kind: safety.Kind(x.Kind), Item: x.Item, Author: x.Author,
			},
			Ground: safety.Ground(x.Ground), Reference: x.Reference, Explanation: x.Explanation,
			Facts: x.Facts, Category: safety.Category(x.Category),
			Keywords: parted[safety.Keyword](x.Keywords), Source: safety.Source(x.Source),
			Means: safety.Means{
				Detected: x.Flags&detected != 0, Decided: safety.Automation(x.Automation),
			},
			Lang: x.Lang, ContentType: parted[safety.ContentType](x.ContentType),
			By: safety.Actor{Staff: x.By, Rule: x.Rule}, NoStatement: x.Flags&noStatement != 0,
			Article9: x.Flags&article9 != 0, Ordered: x.Flags&ordered != 0,
		},
		ID: x.ID, State: State(x.State), Second: x.Second, Batch: x.Batch,
		NeedsSecond: x.Flags&needsSecond != 0, Sampled: x.Flags&sampled != 0,
		ContentDate: x.ContentDate, Reached: x.Reached, Created: x.Created,
		Effective: x.Effective, Ends: x.Ends, Ended: x.Ended, EndedBy: x.EndedBy,
		EndReason: x.EndReason, Applied: x.Applied, Restored: x.Restored,
		Review: Verdict(x.Review), Reviewer: x.Reviewer,
	}
	if x.Flags&barred != 0 {
		d.Bar = &Bar{}
	}
	if len(x.Measures) == 0 {
		return d, nil
	}
	if err := cbor.Unmarshal(x.Measures, &d.Measures); err != nil {
		return d, fmt.Errorf("decide: measures of %d: %w", x.ID, err)
	}
	return d, nil
}

// same tells whether a decision says what a draft says, and that the same made it.
func same(x, y store.Decision) bool {
	return x.Kind == y.Kind && x.Item == y.Item && x.Ground == y.Ground &&
		x.Reference == y.Reference && x.Explanation == y.Explanation && x.Facts == y.Facts &&
		x.Category == y.Category && x.Keywords == y.Keywords &&
		bytes.Equal(x.Measures, y.Measures) && x.Automation == y.Automation &&
		x.By == y.By && x.Rule == y.Rule
}

func joined[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, x := range list {
		words[i] = string(x)
	}
	return strings.Join(words, " ")
}

func parted[T ~string](s string) (out []T) {
	for word := range strings.FieldsSeq(s) {
		out = append(out, T(word))
	}
	return out
}
