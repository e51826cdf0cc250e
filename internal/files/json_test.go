package files

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestUnmarshalSaysWhere(t *testing.T) {
	for _, c := range []struct {
		text, want string
		cut        bool
	}{
		{"{\"a\": 1}", "", false},
		{"{\n\"a\": 1,\n\"b\": [2", "line 3, byte 7: ", true},
		{"{", "line 1, byte 1: ", true},
		{"{\"a\": tru", "line 1, byte 9: ", true},
		{" \n", "the file is empty", false},
		{"", "the file is empty", false},
		{"{\n\n  \"a\" 1}", "line 3, byte 7: invalid character '1'", false},
		{"{\"a\":\n\"x\"}", "line 2, byte 3: \"a\" is a text, want a whole number of 64 bits", false},
		{"{\"a\": 1.5}", "line 1, byte 9: \"a\" is 1.5, want a whole number", false},
		{"{\"a\": 1, \"c\": {\"d\": [true]}}", "\"c.d\" is true or false, want a text", false},
		{"[]", "line 1, byte 1: a list where an object was expected", false},
	} {
		var v struct {
			A int `json:"a"`
			B int `json:"b"`
			C struct {
				D []string `json:"d"`
			} `json:"c"`
		}
		if c.cut {
			var any any
			checkJSON(t, c.text, Unmarshal([]byte(c.text), &any), c.want, true)
			continue
		}
		checkJSON(t, c.text, Unmarshal([]byte(c.text), &v), c.want, false)
	}
}

func checkJSON(t *testing.T, text string, err error, want string, cut bool) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, ErrCut) != cut {
		t.Errorf("%q: error %v, want %q and cut %v", text, err, want, cut)
	}
}

func TestStreamErrorSaysWhere(t *testing.T) {
	read := func(text string) error {
		d := json.NewDecoder(strings.NewReader(text))
		for {
			var v any
			if err := d.Decode(&v); err != nil {
				return StreamError(err, d)
			}
		}
	}
	checkJSON(t, "cut", read("{\"a\": 1}\n{\"b\": "), "byte 15: ", true)
	var text string
	d := json.NewDecoder(strings.NewReader("[1]"))
	checkJSON(t, "another kind", StreamError(d.Decode(&text), d), "a list where a text was expected", false)
	checkJSON(t, "wrong", read("{\"a\": 1}\n{\"b\" 2}"), "byte 15: invalid character", false)
	if StreamError(nil, nil) != nil {
		t.Error("no error became one")
	}
}

func TestNamed(t *testing.T) {
	for text, want := range map[string]string{"a.txt: empty": "a.txt: empty", "open a.txt: no": "a.txt: open a.txt: no", "empty": "a.txt: empty"} {
		if got := Named("a.txt", errors.New(text)); got.Error() != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if Named("a.txt", nil) != nil {
		t.Error("no error became one")
	}
}
