package data

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/data/annotation"
)

// npy writes a float32 matrix as NumPy does.
func npy(t *testing.T, path string, rows, dim int, f func(i, j int) float32) string {
	t.Helper()
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", rows, dim)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	b = append(b, header...)
	for i := range rows {
		for j := range dim {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f(i, j)))
		}
	}
	return file(t, path, string(b))
}

func file(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func plain(i, j int) float32 { return float32(100*i + j) }

// letters encodes a text as one token a byte, "!" as 0 like GPT-2's.
func letters(dst []int32, text string) []int32 {
	for i := range len(text) {
		if text[i] == '!' {
			dst = append(dst, 0)
		} else {
			dst = append(dst, int32(text[i]))
		}
	}
	return dst
}

// load makes a set of rows features and the given JSON lines.
func load(t *testing.T, rows int, cfg Config, lines ...string) (*Captions, error) {
	t.Helper()
	dir := t.TempDir()
	f, err := OpenFeatures(npy(t, filepath.Join(dir, "x.npy"), rows, 3, plain))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	cfg.Captions = file(t, filepath.Join(dir, "c.jsonl"), strings.Join(lines, "\n"))
	cfg.Encode, cfg.Vocab = letters, 256
	return Load(f, cfg)
}

func TestJoin(t *testing.T) {
	lines := []string{`{"image_id":1,"caption":"ab"}`, `{"image_id":"00000001","caption":"c"}`, `{"image_id":9,"caption":"d"}`, `{"row":0,"image_id":"x","tokens":[]}`}
	if _, err := load(t, 3, Config{}, lines...); err == nil || !strings.Contains(err.Error(), "1 of 4 captions without a feature") || !strings.Contains(err.Error(), "image ids 9") {
		t.Errorf("without a threshold: %v", err)
	}
	c, err := load(t, 3, Config{MaxMissing: 0.25}, lines...)
	if err != nil {
		t.Fatal(err)
	}
	want := Join{Kind: "lines", Captions: 3, Images: 2, Empty: 1, Unused: 1, Missing: 1, MissingID: []string{"9"}}
	if fmt.Sprint(c.Join) != fmt.Sprint(want) {
		t.Errorf("join %+v\nwant %+v", c.Join, want)
	}
	if c.Row(0) != 1 || c.Row(1) != 1 || c.Row(2) != 0 || !slices.Equal(c.Tokens(0), []int32{'a', 'b'}) {
		t.Errorf("rows %d %d %d, tokens %v", c.Row(0), c.Row(1), c.Row(2), c.Tokens(0))
	}
	for _, bad := range []struct{ line, want string }{
		{`{"row":3,"caption":"a"}`, "of 1 caption none has"},
		{`{"row":0,"tokens":[256]}`, "token 256, want 0 to 255"},
		{`{"row":0,"tokens":[-1]}`, "token -1"},
	} {
		if _, err := load(t, 3, Config{MaxMissing: 1}, bad.line); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: error %v, want one with %q", bad.line, err, bad.want)
		}
	}
}

func TestAddPeriod(t *testing.T) {
	for in, want := range map[string]string{"": "", " a man \n": "a man.", "a man .": "a man.", "a man.": "a man.", "a man!": "a man!.", ".": ".", " .": "."} {
		if got := AddPeriod(in); got != want {
			t.Errorf("AddPeriod(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestLengthRule holds the rule to numpy's mean + 10·std(ddof=1) for 200 short captions and a very long one:
// lengths [2]*200+[500]: mean 4.4776, std 35.126, rule 355.
func TestLengthRule(t *testing.T) {
	var lines []string
	for range 200 {
		lines = append(lines, `{"row":0,"caption":"ab"}`)
	}
	lines = append(lines, fmt.Sprintf(`{"row":0,"caption":%q}`, strings.Repeat("x", 499)+"."))
	for _, period := range []bool{false, true} {
		c, err := load(t, 1, Config{AddPeriod: period}, lines...)
		if err != nil {
			t.Fatal(err)
		}
		last := c.Tokens(200)
		want := int32('x')
		limit := 355
		if period {
			want, limit = '.', 356 // every short caption is one longer
		}
		if c.Limit != limit || len(last) != limit || last[len(last)-1] != want || c.Join.Cut != 1 {
			t.Errorf("period %v: limit %d, %d tokens, the last %q, %d cut", period, c.Limit, len(last), last[len(last)-1], c.Join.Cut)
		}
	}
	c, err := load(t, 1, Config{MaxTokens: 1}, `{"row":0,"caption":"ab"}`, `{"row":0,"caption":"cde"}`, `{"row":0,"caption":""}`)
	if err != nil || c.Join.Cut != 2 || !slices.Equal(c.Tokens(1), []int32{'c'}) || len(c.Tokens(2)) != 0 {
		t.Errorf("cut to 1: %v %+v", err, c)
	}
}

func TestFindSpellings(t *testing.T) {
	f := &Features{rows: 3}
	f.name([]string{"COCO_val2014_000000000042.jpg", "dir/7.png", "a7"})
	for id, want := range map[string]int{"42": 0, "00042": 0, "COCO_val2014_000000000042.jpg": 0, "7": 1, "a7": 2, "x/a7.jpg": 2, "8": -1, "": -1, "0": -1} {
		got, ok := f.Find(id)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("Find(%q) = %d, want %d", id, got, want)
		}
	}
	f = &Features{rows: 2}
	f.name([]string{"1.jpg", "01.jpg"})
	if _, ok := f.Find("1"); ok {
		t.Error("Find took one of two images that could be meant")
	}
	f = &Features{rows: 2}
	if i, ok := f.Find("0"); i != 0 || !ok {
		t.Error("row 0 of unnamed features not found")
	}
}

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

func TestFeatureFolder(t *testing.T) {
	dir := t.TempDir()
	npy(t, filepath.Join(dir, "00000.npy"), 2, 3, plain)
	list := file(t, filepath.Join(dir, "00000.jsonl"), `{"id":"b","file":"b.jpg","row":1}
{"id":"bad","file":"bad.jpg","error":"not an image"}
{"id":7,"file":"a.jpg","row":0}`)
	file(t, filepath.Join(dir, "00000.json"), "{}")
	file(t, filepath.Join(dir, "00001.json"), "{}")
	file(t, filepath.Join(dir, "meta.json"), `{"clip":{"name":"RN50x4","sha256":"ab"},"dim":3}`)
	npy(t, filepath.Join(dir, "00001.npy"), 1, 3, func(i, j int) float32 { return -1 })
	file(t, filepath.Join(dir, "00001.jsonl"), `{"id":"c","row":0}`)
	f, err := OpenFeatures(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x := make([]float32, 3)
	if i, ok := f.Find("c"); !ok || f.Rows() != 3 || f.Read(x, i) != nil || x[2] != -1 {
		t.Errorf("row of c: %d %v, %v", i, ok, x)
	}
	if f.Meta.CLIP.Name != "RN50x4" {
		t.Errorf("meta %+v", f.Meta)
	}
	if i, ok := f.Find("7"); !ok || i != 0 || f.ID(1) != "b" {
		t.Errorf("row of 7: %d %v; id of row 1: %s", i, ok, f.ID(1))
	}
	if _, ok := f.Find("bad"); ok {
		t.Error("an image that failed has a feature")
	}
	if err := f.Read(x, 3); err == nil {
		t.Error("row 3 of 3 was read")
	}
	for _, bad := range []struct{ text, want string }{
		{`{"id":"b","row":1}`, "no image has row 0"},
		{`{"id":"b","row":2}`, "row 2"},
		{`{"id":"b","row":0}` + "\n" + `{"id":"c","row":0}`, "twice"},
		{`{"row":0}`, "no id"},
		{`{`, "object 1"},
	} {
		file(t, list, bad.text)
		if _, err := OpenFeatures(dir); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: error %v, want one with %q", bad.text, err, bad.want)
		}
	}
	file(t, filepath.Join(dir, "meta.json"), `{"dim":4}`)
	file(t, list, `{"id":"b","row":1}{"id":7,"row":0}`)
	if _, err := OpenFeatures(dir); err == nil || !strings.Contains(err.Error(), "dim 4") {
		t.Errorf("a meta.json of another width: %v", err)
	}
	os.Remove(filepath.Join(dir, "00001.json"))
	if _, err := OpenFeatures(dir); err == nil || !strings.Contains(err.Error(), "not finished") {
		t.Errorf("an unfinished shard: %v", err)
	}
	os.Remove(list)
	if _, err := OpenFeatures(dir); err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("no list: %v", err)
	}
	if _, err := OpenFeatures(t.TempDir()); err == nil {
		t.Error("an empty folder was opened")
	}
	retrieval := t.TempDir()
	os.Mkdir(filepath.Join(retrieval, "img_emb"), 0o755)
	for i := range 11 {
		npy(t, filepath.Join(retrieval, "img_emb", fmt.Sprintf("img_emb_%d.npy", i)), 1, 2, func(_, j int) float32 { return float32(i) })
	}
	r, err := OpenFeatures(retrieval)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Read(x[:2], 10); err != nil || x[0] != 10 || r.Rows() != 11 {
		t.Errorf("row 10 of clip-retrieval's files: %v %v", x, err)
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
