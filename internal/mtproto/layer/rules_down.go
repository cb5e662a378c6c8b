package layer

// downRules bridge from the current layer to older ones.
func downRules() []rule {
	return nil
}
