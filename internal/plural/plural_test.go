package plural

import "testing"

func TestFew(t *testing.T) {
	for n, want := range []string{"", "a", "a, b", "a, b, c", "a, b, c, d", "a, b, c, d, e", "a, b, c, d, e and 1 more", "a, b, c, d, e and 2 more"} {
		if got := Few([]string{"a", "b", "c", "d", "e", "f", "g"}[:n]); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestOf(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Of(0, "image"), "0 images"}, {Of(1, "image"), "1 image"}, {Of(int64(2), "image"), "2 images"}, {Of(-1, "step"), "-1 steps"}, {Of(0, "batch"), "0 batches"}, {Of(1, "batch"), "1 batch"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
