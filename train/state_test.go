package train

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzState holds that what is read as a run's state can be written and is the same when it is read again.
func FuzzState(f *testing.F) {
	good, err := json.Marshal(state{Done: 12, Settings: Defaults(), Data: "x", Start: "y", Best: &Best{Step: 3, Value: 0.5, Since: 1}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-2])
	for _, text := range []string{``, `null`, `{}`, `[1]`, `{"done": -1}`, `{"done": 1e300}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parseState(text)
		if err != nil {
			return
		}
		if s.Done < 0 {
			t.Errorf("%q: %d steps done", text, s.Done)
		}
		once, err := json.Marshal(s)
		if err != nil {
			t.Fatalf("%q cannot be written: %v", text, err)
		}
		again, err := parseState(once)
		if err != nil {
			t.Fatalf("%q becomes %q: %v", text, once, err)
		}
		if twice, _ := json.Marshal(again); string(once) != string(twice) {
			t.Errorf("%q is %s, and %s when it is read again", text, once, twice)
		}
	})
}

// FuzzReadLog holds that a log of any bytes gives records of steps alone.
func FuzzReadLog(f *testing.F) {
	f.Add([]byte("{\"step\":1,\"loss\":2}\n{\"step\":2,"))
	f.Add([]byte("\n\n{\"step\":-1}\nnull\n"))
	path := filepath.Join(f.TempDir(), LogFile)
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
		rs, err := ReadLog(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(rs) > strings.Count(string(text), "{") {
			t.Errorf("%q: %d records", text, len(rs))
		}
		for _, r := range rs {
			if r.Step < 1 {
				t.Errorf("%q: step %d", text, r.Step)
			}
		}
	})
}

// TestStateSaysWhatIsWrong holds that a state that was cut short names its file and the place.
func TestStateSaysWhatIsWrong(t *testing.T) {
	path := filepath.Join(t.TempDir(), progress)
	for text, want := range map[string]string{"{\n\"done\": 3,": "line 2, byte 10: the file ends too early", "": "the file is empty", "{\"done\": -3}": "-3 steps done"} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := readState(path); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}
