package meteor

import (
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// goldenData opens METEOR's own lists with the synthetic table, or skips the test.
func goldenData(t testing.TB) *Data {
	t.Helper()
	d, err := Open(testkit.Golden(t, "meteor"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestGoldenNormalizer(t *testing.T) {
	d := goldenData(t)
	var lines struct{ In, Out []string }
	testkit.GoldenJSON(t, "captions/meteor_normalizer.json.gz", &lines)
	wrong := 0
	for i, in := range lines.In {
		if got := strings.Join(d.normalize(in), " "); got != lines.Out[i] {
			if wrong++; wrong <= 10 {
				t.Errorf("%q\n got %q\nwant %q", in, got, lines.Out[i])
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d wrong", wrong, len(lines.In))
	}
}
