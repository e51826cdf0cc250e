package meteor

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// openGate lets everything pass.
func openGate() *gate {
	seed := maphash.MakeSeed()
	g := &gate{newFilter(1, seed), newFilter(1, seed)}
	for i := range g.candidates.bits {
		g.candidates.bits[i], g.references.bits[i] = ^uint64(0), ^uint64(0)
	}
	return g
}

func wordsOf(text string) *vocabulary {
	v := &vocabulary{ids: map[string]int32{}}
	for w := range strings.FieldsSeq(text) {
		v.id(w)
	}
	return v
}

// The reader finds the entries wherever the blocks of the unpacked table cut them.
func TestTableAcrossBlocks(t *testing.T) {
	var text strings.Builder
	want := 0
	for text.Len() < 3*blockSize+12345 {
		fmt.Fprintf(&text, "0.%d\na %s\nb\n", want, strings.Repeat("a ", want%37))
		want++
	}
	table, err := parseTable(bytes.NewReader(gzipped(strings.TrimSuffix(text.String(), "\n"))), openGate(), wordsOf("a b"))
	if err != nil || len(table.other) != want {
		t.Fatalf("%d entries, %v; want %d", len(table.other), err, want)
	}
}

func TestTableErrors(t *testing.T) {
	truncated := gzipped(strings.Repeat("0.5\na\nb\n", 1000))
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"not gzip":                {[]byte("0.5\na\nb\n"), "gzip"},
		"cut short":               {truncated[:len(truncated)-12], "EOF"},
		"half an entry":           {gzipped("0.5\na\nb\n0.5\na"), "entry 2"},
		"no number":               {gzipped("a\n0.5\nb\n"), "entry 1"},
		"a long line":             {gzipped("0.5\n" + strings.Repeat("a ", maxEntry)), "longer"},
		"a long line over blocks": {gzipped("0.5\na\nb\n0.5\n" + strings.Repeat("a ", 2*blockSize)), "longer"},
	} {
		if _, err := parseTable(bytes.NewReader(c.data), openGate(), wordsOf("a b")); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
	for _, empty := range []string{"", "\n"} {
		if table, err := parseTable(bytes.NewReader(gzipped(empty)), openGate(), wordsOf("a")); err != nil || len(table.other) != 0 {
			t.Errorf("an empty table: %v", err)
		}
	}
}

// What the gate turns away would have matched nothing: statistics are those of the whole table.
func TestGateLosesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("a the on in front of before dog car cars auto kid children ran run sprint rides many lot x y z full fun.")
	phrase := func(most int) string {
		var w []string
		for range 1 + rng.IntN(most) {
			w = append(w, words[rng.IntN(len(words))])
		}
		return strings.Join(w, " ")
	}
	var table strings.Builder
	for range 3000 {
		fmt.Fprintf(&table, "0.5\n%s\n%s\n", phrase(3), phrase(3))
	}
	fmt.Fprintf(&table, "0.5\n%s\n%s\n", "a a a a a a a a a", "the the the the the the the the") // longer than the filters know
	d, err := Open(checkout(t, table.String()))
	if err != nil {
		t.Fatal(err)
	}
	candidates, references := []string{"the dog", "x a a a a a a a a a"}, [][]string{{"on the car"}, {"the the the the the the the the"}}
	for range 300 {
		candidates, references = append(candidates, phrase(12)), append(references, []string{phrase(12), phrase(9), phrase(1)})
	}
	got, err := d.Score(candidates, references)
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.prepare(candidates, references)
	if err != nil {
		t.Fatal(err)
	}
	kept := len(r.table.other)
	if r.table, err = readTable(d.Paraphrases, openGate(), r.vocabulary); err != nil {
		t.Fatal(err)
	}
	if kept >= len(r.table.other) {
		t.Errorf("%d of %d entries kept: the gate turns nothing away", kept, len(r.table.other))
	}
	a := newAligner(r.vocabulary.words, r.table)
	for i, im := range r.images {
		var all []Stats
		im.candidate.hits = r.table.hits(im.candidate.words)
		for _, ref := range im.references {
			ref.hits = r.table.hits(ref.words)
			a.match(im.candidate, ref)
			a.align()
			all = append(all, a.stats())
		}
		if want := all[bestOf(all)]; got[i] != want {
			t.Fatalf("%q: %+v, with the whole table %+v", candidates[i], got[i], want)
		}
	}
	if got[1].Candidate.FunctionMatched[3]+got[1].Candidate.ContentMatched[3] == 0 {
		t.Error("the long phrase did not match")
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte(smallTable), 3)
	f.Add([]byte("0.5\na\n"), 1)
	f.Add([]byte("\n\n\n"), 2)
	f.Fuzz(func(t *testing.T, text []byte, cut int) {
		read := func(cut int) (*table, error) {
			p := entryParser{gate: openGate(), vocabulary: wordsOf("in front of before many a lot"), table: newTable()}
			if cut > 0 && cut < len(text) {
				if err := p.block(text[:cut]); err != nil {
					return nil, err
				}
				if err := p.block(text[cut:]); err != nil {
					return nil, err
				}
				return p.end()
			}
			if err := p.block(text); err != nil {
				return nil, err
			}
			return p.end()
		}
		whole, err := read(0)
		parts, err2 := read(cut)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("whole: %v, in parts: %v", err, err2)
		}
		if err == nil && (!slices.Equal(whole.other, parts.other) || !slices.Equal(whole.first, parts.first)) {
			t.Fatal("the place of the cut changes the table")
		}
	})
}
