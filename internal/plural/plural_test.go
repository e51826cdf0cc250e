package plural

import "testing"

func TestOf(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Of(0, "image"), "0 images"}, {Of(1, "image"), "1 image"}, {Of(int64(2), "image"), "2 images"}, {Of(-1, "step"), "-1 steps"}, {Of(0, "batch"), "0 batches"}, {Of(1, "batch"), "1 batch"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
