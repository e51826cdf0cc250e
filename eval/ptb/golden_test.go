package ptb

import (
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// The golden tokens were written by the reference tokenizer; see the README beside them.

func TestGoldenCaptions(t *testing.T) {
	var c struct{ Captions, Raw, Final []string }
	testkit.GoldenJSON(t, "captions/ptb_captions.json.gz", &c)
	compare(t, "raw", c.Captions, Raw(c.Captions), c.Raw)
	compare(t, "final", c.Captions, Tokenize(c.Captions), c.Final)
}

func TestGoldenAdversarial(t *testing.T) {
	var a struct {
		Hand     []string
		Stream   []string `json:"hand_stream_raw"`
		Isolated []string `json:"hand_isolated_raw"`
		Fuzz     []string
		FuzzRaw  []string `json:"fuzz_isolated_raw"`
	}
	testkit.GoldenJSON(t, "captions/ptb_adversarial.json.gz", &a)
	compare(t, "hand-written, one stream", a.Hand, Raw(a.Hand), a.Stream)
	compare(t, "hand-written, each alone", a.Hand, rawEach(a.Hand), a.Isolated)
	compare(t, "fuzz", a.Fuzz, rawEach(a.Fuzz), a.FuzzRaw)
}

func rawEach(captions []string) []string {
	var lines []string
	for _, c := range captions {
		lines = append(lines, Raw([]string{c})...)
	}
	return lines
}

func compare(t *testing.T, name string, in, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d lines, want %d", name, len(got), len(want))
	}
	wrong := 0
	for i := range want {
		if got[i] == want[i] {
			continue
		}
		if wrong++; wrong <= 10 {
			t.Errorf("%s: %q\n got %q\nwant %q", name, in[i], got[i], want[i])
		}
	}
	if wrong > 0 {
		t.Errorf("%s: %d of %d wrong", name, wrong, len(want))
	}
}
