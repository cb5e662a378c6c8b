package gateway

import "slices"

// DropTemps ends the use of the temporary keys that stand for a permanent one, except some.
//
// https://core.telegram.org/method/auth.dropTempAuthKeys
func (s *Server) DropTemps(permKeyID int64, except []int64) {
	var drop []*authKey
	for _, k := range s.keys.device(permKeyID) {
		if k.temp && !slices.Contains(except, k.ID) {
			drop = append(drop, k)
		}
	}
	s.drop(drop)
}
