// Package tidy is tests about the code itself: which package may import which, how long functions
// and files may be, what is documented, where state, SQL, the clock and content may stand, and
// whether the two ledgers in spec say what the code says. It has no code that runs in the server.
//
// Every rule prints its reason when it fails. What exceeded a limit when the limit came is listed
// in testdata with its size, and the lists may only shrink: an entry that is no longer needed fails
// too, and -update lowers and removes entries but never adds one.
//
// Only syntax is read, never types, so that all of it takes a second or two.
package tidy

//go:generate go test -count=1 . -run "TestMethodsAreCurrent|TestSizes" -update
