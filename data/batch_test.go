package data

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/data/annotation"
)

func TestSampler(t *testing.T) {
	var lines []string
	for i := range 23 {
		lines = append(lines, fmt.Sprintf(`{"row":%d,"caption":"c"}`, i%5))
	}
	c, err := load(t, 5, Config{}, lines...)
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range []bool{false, true} {
		whole := &Sampler{Captions: c, Batch: 4, Seed: 7, Group: group}
		if whole.StepsPerEpoch() != 5 {
			t.Fatalf("%d steps an epoch", whole.StepsPerEpoch())
		}
		var epochs [3][]int32
		for i := range int64(15) {
			epochs[i/5] = append(epochs[i/5], whole.Step(i)...)
		}
		for e, seen := range epochs {
			sorted := slices.Sorted(slices.Values(seen))
			if len(slices.Compact(sorted)) != 20 {
				t.Errorf("group %v: epoch %d repeats captions: %v", group, e, seen)
			}
		}
		if slices.Equal(epochs[0], epochs[1]) {
			t.Error("two epochs in the same order")
		}
		resumed := &Sampler{Captions: c, Batch: 4, Seed: 7, Group: group}
		if !slices.Equal(resumed.Step(11), epochs[2][4:8]) {
			t.Error("step 11 depends on the steps before it")
		}
		if other := (&Sampler{Captions: c, Batch: 4, Seed: 8, Group: group}); slices.Equal(other.Step(0), whole.Step(0)) && slices.Equal(other.Step(1), whole.Step(1)) {
			t.Error("two seeds give the same order")
		}
		for i := 1; group && i < 20; i++ { // an image's captions stand together
			if a, b := epochs[0][i-1], epochs[0][i]; a%5 != b%5 && slices.ContainsFunc(epochs[0][i:], func(x int32) bool { return x%5 == a%5 }) {
				t.Errorf("image %d in two places: %v", a%5, epochs[0])
				break
			}
		}
	}
	keep := &Sampler{Captions: c, Batch: 4, Sequential: true, KeepLast: true}
	if keep.StepsPerEpoch() != 6 || !slices.Equal(keep.Step(5), []int32{20, 21, 22}) || !slices.Equal(keep.Step(6), []int32{0, 1, 2, 3}) {
		t.Errorf("sequential: %v %v", keep.Step(5), keep.Step(6))
	}
	if err := (&Sampler{Captions: c, Batch: 24}).Validate(); err == nil {
		t.Error("a batch larger than the set passed")
	}
}

// TestShuffleIsFixed keeps the order what it was: a resumed run of an older build depends on it.
func TestShuffleIsFixed(t *testing.T) {
	a := []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	random{1, 2}.shuffle(a)
	if want := []int32{8, 4, 6, 3, 1, 9, 5, 0, 2, 7}; !slices.Equal(a, want) {
		t.Errorf("%v, want %v", a, want)
	}
}

func TestPack(t *testing.T) {
	c, err := load(t, 3, Config{}, `{"row":2,"caption":"ab!"}`, `{"row":0,"caption":"c"}`, `{"row":2,"caption":""}`, `{"row":2,"caption":"de"}`)
	if err != nil {
		t.Fatal(err)
	}
	var b Batch
	p := &Packer{Captions: c, PrefixLength: 2}
	if err := p.Pack(&b, []int32{0, 1, 2, 3}, 0); err != nil {
		t.Fatal(err)
	}
	same(t, "ids", b.IDs, -1, -1, 'a', 'b', -1, -1, -1, -1, -1, -1, 'd')
	same(t, "positions", b.Positions, 0, 1, 2, 3, 0, 1, 0, 1, 0, 1, 2)
	same(t, "prefix", b.Prefix, 0, 1, -1, -1, 2, 3, 4, 5, 6, 7, -1)
	same(t, "starts", b.Starts, 0, 4, 6, 8, 11)
	same(t, "from", b.From, 1, 2, 5, 9, 10)
	same(t, "targets", b.Targets, 'a', 'b', 'c', 'd', 'e')
	if want := []float32{200, 201, 202, 0, 1, 2, 200, 201, 202, 200, 201, 202}; !slices.Equal(b.Features, want) {
		t.Errorf("features %v", b.Features)
	}

	p = &Packer{Captions: c, PrefixLength: 2, Shared: true}
	if err := p.Pack(&b, []int32{0, 1, 2, 3}, 0); err != nil {
		t.Fatal(err)
	}
	same(t, "shared ids", b.IDs, -1, -1, 'a', 'b', 'd', -1, -1)
	same(t, "shared positions", b.Positions, 0, 1, 2, 3, 2, 0, 1)
	same(t, "shared prefix", b.Prefix, 0, 1, -1, -1, -1, 2, 3)
	same(t, "shared starts", b.Starts, 0, 2, 4, 5, 7)
	same(t, "shared parents", b.Parents, -1, 0, 0, -1)
	same(t, "shared from", b.From, 1, 2, 1, 4, 6)
	same(t, "shared targets", b.Targets, 'a', 'b', 'd', 'e', 'c')
	if want := []float32{200, 201, 202, 0, 1, 2}; !slices.Equal(b.Features, want) {
		t.Errorf("shared features %v", b.Features)
	}

	for _, shared := range []bool{false, true} {
		p.Shared = shared
		s := &Sampler{Captions: c, Batch: 3}
		room := p.Capacity(s, 0, 5)
		if most := p.Capacity(s, 0, 1<<40); most != most.max(room) {
			t.Errorf("a run of very many steps has room for %+v, one of 5 needs %+v", most, room)
		}
		for i := range int64(5) {
			if err := p.Pack(&b, s.Step(i), 0); err != nil {
				t.Fatal(err)
			}
			if n := b.Size(); n.max(room) != room {
				t.Errorf("step %d has %+v, the capacity is %+v", i, n, room)
			}
			if any := p.Capacity(s, 0, 1<<40); b.Size().max(any) != any {
				t.Errorf("step %d has %+v, the capacity of a run of very many steps is %+v", i, b.Size(), any)
			}
		}
	}
}

func TestNormalizeAndNoise(t *testing.T) {
	c, err := load(t, 3, Config{}, `{"row":1,"caption":"a"}`, `{"row":0,"caption":"b"}`)
	if err != nil {
		t.Fatal(err)
	}
	var a, b Batch
	p := &Packer{Captions: c, PrefixLength: 1, Normalize: true}
	if err := p.Pack(&a, []int32{0}, 0); err != nil {
		t.Fatal(err)
	}
	if n := norm(a.Features); math.Abs(n-1) > 1e-6 || math.Abs(float64(a.Features[0])-100/math.Sqrt(100*100+101*101+102*102)) > 1e-6 {
		t.Errorf("normalised to %v of length %v", a.Features, n)
	}
	p.Noise = 0.016
	p.Pack(&a, []int32{0}, 1)
	p.Pack(&b, []int32{0}, 1)
	if !slices.Equal(a.Features, b.Features) || math.Abs(norm(a.Features)-1) > 1e-6 {
		t.Errorf("noise: %v, then %v", a.Features, b.Features)
	}
	p.Pack(&b, []int32{0}, 2)
	if slices.Equal(a.Features, b.Features) {
		t.Error("two steps have the same noise")
	}
	var sum, squares float64
	const n = 100000
	for i := range uint64(n) {
		x := normal(i * 0x9e3779b97f4a7c15)
		sum, squares = sum+x, squares+x*x
	}
	if math.Abs(sum/n) > 0.02 || math.Abs(squares/n-1) > 0.02 {
		t.Errorf("normal numbers have mean %v and variance %v", sum/n, squares/n)
	}
	zero := &Packer{Captions: &Captions{Features: zeros(t), rows: []int32{0}, starts: []uint32{0, 0}}, Normalize: true}
	if err := zero.Pack(&b, []int32{0}, 0); err == nil || !strings.Contains(err.Error(), "cannot be normalised") {
		t.Errorf("a feature of zeros: %v", err)
	}
}

func zeros(t *testing.T) *Features {
	f, err := OpenFeatures(npy(t, filepath.Join(t.TempDir(), "z.npy"), 1, 2, func(i, j int) float32 { return 0 }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func norm(x []float32) float64 {
	var s float64
	for _, v := range x {
		s += float64(v) * float64(v)
	}
	return math.Sqrt(s)
}

func same(t *testing.T, what string, got []int32, want ...int32) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s %v, want %v", what, got, want)
	}
}

// TestMemory holds COCO's 567,000 captions below 100 MB beside the features.
func TestMemory(t *testing.T) {
	c := &Captions{Features: &Features{rows: 1 << 20}, starts: []uint32{0}}
	l := &loader{cfg: Config{Encode: letters, Vocab: 256}, to: c, missing: map[string]bool{}}
	n := 567000
	if testing.Short() {
		n = 5670
	}
	for i := range n {
		if err := l.take(i/5, annotation.Caption{Text: "a dozen toks"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.finish(); err != nil {
		t.Fatal(err)
	}
	s := &Sampler{Captions: c, Batch: 40, Group: true}
	s.Step(0)
	bytes := 2*cap(c.tokens.narrow) + 4*cap(c.starts) + 4*cap(c.rows) + 4*cap(s.order)
	for _, im := range s.images {
		bytes += 24 + 4*cap(im)
	}
	if per := float64(bytes) / float64(n); per > 100e6/567000 {
		t.Errorf("%.0f bytes a caption, COCO's would take %.0f MB", per, per*0.567)
	} else {
		t.Logf("%.0f bytes a caption: %.0f MB for 567,000", per, per*0.567)
	}
}
