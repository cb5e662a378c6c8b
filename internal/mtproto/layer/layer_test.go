package layer

import "testing"

func TestEveryLayerCompiles(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for _, layer := range s.Known() {
		if _, err := s.program(layer); err != nil {
			t.Errorf("layer %d: %v", layer, err)
		}
	}
}
