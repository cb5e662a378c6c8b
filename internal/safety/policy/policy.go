// Package policy is the balance between what is asked of the service and the people whom that
// concerns, as rules that anybody can read, test and explain. Given a request it says what must be
// verified, the most that may be done, who must sign, whether and when the person is told, what is
// published, which periods run, and why not.
//
// It acts on nothing, stores nothing and knows no person: a verdict is a bound within which people
// decide. What no rule allows is refused. Rules can only add bounds to what is allowed, so their
// order means nothing. Rules that decide an outcome are not told which country asks, nor any index
// of countries: those bear on how closely to look, and on nothing else.
package policy
