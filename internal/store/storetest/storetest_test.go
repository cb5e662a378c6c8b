package storetest

import (
	"os"
	"testing"

	"parley/internal/ids"
	"parley/internal/store"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// TestStoresAreApart opens two stores of each engine: what is in one is not in the other.
func TestStoresAreApart(t *testing.T) {
	for range 2 {
		Each(t, func(t *testing.T, s *store.Store) {
			err := s.Update(t.Context(), 1, func(tx *store.Tx) error {
				return tx.TakeUsername("somebody", ids.Peer(1))
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
