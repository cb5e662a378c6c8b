package verify

import (
	"context"
	"fmt"
)

// Each calls fn with the entries of a log of some size from an index on, in order. It does not
// check that they are those which were signed: it is for whoever wrote them.
func Each(
	ctx context.Context, src Source, from, size int64, fn func(index int64, entry []byte) error,
) error {
	for n := from / width; n*width < size; n++ {
		w := int(min(size-n*width, width))
		b, at, err := read(ctx, src, -1, n, w, bundleMost)
		if err != nil {
			return err
		}
		list, err := Bundle(b, w)
		if err != nil {
			return fmt.Errorf("verify: %s: %w", at, err)
		}
		for i, raw := range list {
			index := n*width + int64(i)
			if index < from {
				continue
			}
			if err := fn(index, raw); err != nil {
				return err
			}
		}
	}
	return nil
}
