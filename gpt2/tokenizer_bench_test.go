package gpt2

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// captions are the human captions of the photos, or sentences like them.
func captions(b *testing.B) (all []string) {
	text, err := os.ReadFile(filepath.Join("..", "..", "shared", "photos", "captions_photos.json"))
	if err == nil {
		var set struct {
			Annotations []struct{ Caption string }
		}
		if err := json.Unmarshal(text, &set); err != nil {
			b.Fatal(err)
		}
		for _, a := range set.Annotations {
			all = append(all, a.Caption)
		}
		return all
	}
	for i := range 2000 {
		all = append(all, fmt.Sprintf("A %d year old woman holding an umbrella while riding a horse on the beach.", i))
	}
	return all
}

func BenchmarkEncode(b *testing.B) {
	tok := tokenizer(b)
	all := captions(b)
	var dst []int32
	n := 0
	for _, c := range all {
		n += len(c)
		dst = tok.AppendEncode(dst[:0], c)
	}
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range all {
			dst = tok.AppendEncode(dst[:0], c)
		}
	}
}

func BenchmarkEncodeUncached(b *testing.B) {
	tok := tokenizer(b)
	all := captions(b)
	n := 0
	for _, c := range all {
		n += len(c)
	}
	b.SetBytes(int64(n))
	var word []int32
	for b.Loop() {
		for _, c := range all {
			for len(c) > 0 {
				k := wordEnd(c)
				word = word[:0]
				for _, x := range []byte(c[:k]) {
					word = append(word, tok.bytes[x])
				}
				tok.merges().Apply(word)
				c = c[k:]
			}
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	tok := tokenizer(b)
	var ids []int32
	for _, c := range captions(b) {
		ids = tok.AppendEncode(ids, c)
	}
	var dst []byte
	for b.Loop() {
		dst, _ = tok.AppendDecode(dst[:0], ids)
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := loadPublished(); err != nil {
			b.Fatal(err)
		}
	}
}
