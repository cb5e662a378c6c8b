//go:build race

package imaging

// raceDetector says that tests run some twenty times slower.
const raceDetector = true
