package signin

// Open is how many ceremonies are remembered.
func (k *Keys) Open() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.open)
}
