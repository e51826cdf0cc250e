package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/train"
)

// world is a small data set with a small random GPT-2 of the real vocabulary.
type world struct{ dir, features, captions, gpt2 string }

func newWorld(t *testing.T) world {
	t.Helper()
	dir := t.TempDir()
	w := world{dir, filepath.Join(dir, "x.npy"), filepath.Join(dir, "captions.json"), filepath.Join(dir, "gpt2.json")}
	const rows, dim = 6, 8
	head := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", rows, dim)
	head += strings.Repeat(" ", 63-(10+len(head))%64) + "\n"
	b := append(binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(head))), head...)
	for i := range rows * dim {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(math.Sin(float64(7*i+1)))))
	}
	texts := []string{"A man rides a horse", "a rider on a horse", "Two dogs in the snow", "dogs playing in snow", "A red bus on a street", "a bus in the city",
		"Food on a white plate", "a plate of food", "a cat sleeps on a bed", "A bed with a cat", "An old clock tower", "a tower with a clock"}
	var images, annotations []string
	for i, text := range texts {
		if i%2 == 0 {
			images = append(images, fmt.Sprintf(`{"id":%d}`, i/2))
		}
		annotations = append(annotations, fmt.Sprintf(`{"id":%d,"image_id":%d,"caption":%q}`, i, i/2, text))
	}
	for path, text := range map[string]string{
		w.features: string(b),
		w.captions: fmt.Sprintf(`{"images":[%s],"annotations":[%s]}`, strings.Join(images, ","), strings.Join(annotations, ",")),
		w.gpt2:     `{"vocab_size":50257,"n_positions":48,"n_embd":16,"n_layer":1,"n_head":2,"embd_pdrop":0,"attn_pdrop":0,"resid_pdrop":0,"initializer_range":0.1}`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// args are the flags of a run in a folder of the world.
func (w world) args(out string, more ...string) []string {
	return append([]string{"--features", w.features, "--captions", w.captions, "--gpt2", "random:" + w.gpt2, "--out", filepath.Join(w.dir, out),
		"--batch-size", "6", "--warmup", "auto", "--prefix-length", "3", "--precision", "float32", "--seed", "5"}, more...)
}

func call(t *testing.T, ctx context.Context, args ...string) (status int, out, log string) {
	t.Helper()
	var o, e bytes.Buffer
	status = program().Run(ctx, args, &o, &e)
	return status, o.String(), e.String()
}

// must runs the command and expects it to end well.
func must(t *testing.T, ctx context.Context, args ...string) string {
	t.Helper()
	status, out, log := call(t, ctx, args...)
	if status != 0 {
		t.Fatalf("%v: status %d: %s", args, status, log)
	}
	return out
}

func TestTrainToCaptions(t *testing.T) {
	w := newWorld(t)
	pt := filepath.Join(w.dir, "model.pt")
	args := w.args("run", "--steps", "150", "--lr", "0.03", "--mapper", "mlp", "--add-period", "--val-captions", w.captions, "--eval-every", "50", "--samples", "2",
		"--keep-best", "cider", "--export", pt, "--json")
	var sum train.Summary
	if err := json.Unmarshal([]byte(must(t, t.Context(), args...)), &sum); err != nil {
		t.Fatal(err)
	}
	if sum.Steps != 150 || sum.Best == nil || sum.Best.Value < 1 {
		t.Errorf("summary %+v, best %+v: want CIDEr above 1 on the captions trained on", sum, sum.Best)
	}
	records, err := train.ReadLog(filepath.Join(w.dir, "run", train.LogFile))
	if err != nil || len(records) != 153 || records[0].Step != 1 || *records[0].LR != 0 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	last := records[len(records)-1]
	if last.ValLoss == nil || len(last.Samples) != 2 || last.Samples[0].Reference != "A man rides a horse" || !strings.HasSuffix(last.Samples[0].Caption, ".") {
		t.Errorf("last record %+v", last)
	}
	c, err := checkpoint.Open(filepath.Join(w.dir, "run"), nil)
	if err != nil || c.LM == nil || c.Config.PrefixLength != 3 || !strings.Contains(string(c.Config.Training), `"steps":150`) && !strings.Contains(string(c.Config.Training), `"steps": 150`) {
		t.Errorf("checkpoint %+v, %v", c, err)
	}
	if _, err := checkpoint.Open(filepath.Join(w.dir, "run", "best"), nil); err != nil {
		t.Error(err)
	}
	if _, err := checkpoint.Open(pt, &c.Config.LM); err != nil {
		t.Error(err)
	}
	if status, _, log := call(t, t.Context(), args...); status != 1 || !strings.Contains(log, "--resume continues") {
		t.Errorf("a folder in use: status %d, %s", status, log)
	}
	// The mapper alone from there, the language model kept; and then a flag that contradicts it.
	must(t, t.Context(), w.args("frozen", "--init", filepath.Join(w.dir, "run"), "--frozen-lm", "--steps", "2")...)
	// Another mapper before the language model of that checkpoint.
	must(t, t.Context(), w.args("behind", "--gpt2", filepath.Join(w.dir, "run"), "--mapper", "linear", "--frozen-lm", "--steps", "2")...)
	// A share held out: the two parts make up the whole.
	must(t, t.Context(), w.args("held", "--steps", "2", "--val-share", "0.4", "--train-images", "2", "--batch-size", "2")...)
	records, err = train.ReadLog(filepath.Join(w.dir, "held", train.LogFile))
	if last := records[len(records)-1]; err != nil || last.ValLoss == nil || last.TrainCIDEr == nil || last.ValCIDEr == nil {
		t.Errorf("with a share held out: %+v, %v", last, err)
	}
	if status, _, log := call(t, t.Context(), w.args("other", "--init", filepath.Join(w.dir, "run"), "--mapper", "transformer", "--steps", "2")...); status != 1 || !strings.Contains(log, "contradicts --init") {
		t.Errorf("another mapper than --init's: status %d, %s", status, log)
	}
}

// An interrupt ends a run with a checkpoint and status 0; resumed, it ends as if it had never been.
func TestInterruptAndResume(t *testing.T) {
	w := newWorld(t)
	flags := []string{"--steps", "40", "--lr", "0.01", "--mapper", "transformer", "--layers", "1", "--frozen-lm", "--group-by-image", "--save-every", "7"}
	must(t, t.Context(), w.args("whole", flags...)...)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // as soon as the log has a few lines
		for i := 0; i < 1000; i++ {
			if rs, _ := train.ReadLog(filepath.Join(w.dir, "part", train.LogFile)); len(rs) > 3 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if out := must(t, ctx, w.args("part", flags...)...); !strings.Contains(out, "interrupted") && !strings.Contains(out, "40 of 40") {
		t.Errorf("result %s", out)
	}
	must(t, t.Context(), w.args("part", append(flags, "--resume")...)...)
	a, err := os.ReadFile(filepath.Join(w.dir, "whole", checkpoint.WeightsFile))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(w.dir, "part", checkpoint.WeightsFile))
	if err != nil || !slices.Equal(a, b) {
		t.Errorf("the weights differ (%v)", err)
	}
	if status, _, log := call(t, t.Context(), w.args("part", append(flags, "--resume", "--lr", "0.1")...)...); status != 1 || !strings.Contains(log, "lr is 0.1") {
		t.Errorf("resumed with another learning rate: status %d, %s", status, log)
	}
}

// A run that starts anew is not mixed up with the one before: killed before its first checkpoint it starts from the beginning again.
func TestOverwrite(t *testing.T) {
	w := newWorld(t)
	must(t, t.Context(), w.args("run", "--steps", "4", "--val-captions", w.captions, "--keep-best", "loss", "--val-images", "0")...)
	dir := filepath.Join(w.dir, "run")
	if err := os.WriteFile(filepath.Join(dir, "missing.txt"), []byte("7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	huge := filepath.Join(w.dir, "huge.npy") // features that end a run at its first step
	text, err := os.ReadFile(w.features)
	if err != nil {
		t.Fatal(err)
	}
	for at := 128; at < len(text); at += 4 {
		binary.LittleEndian.PutUint32(text[at:], math.Float32bits(math.MaxFloat32))
	}
	if err := os.WriteFile(huge, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if status, _, log := call(t, t.Context(), w.args("run", "--steps", "4", "--overwrite", "--features", huge, "--mapper", "linear")...); status != 1 || !strings.Contains(log, "step 1") {
		t.Fatalf("status %d, %s", status, log)
	}
	if status, _, log := call(t, t.Context(), w.args("run", "--steps", "4", "--resume")...); status != 0 || !strings.Contains(log, "no checkpoint to resume") {
		t.Errorf("resumed: status %d, %s", status, log)
	}
	for _, name := range []string{"best", "missing.txt"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s of the earlier run is still there", name)
		}
	}
	if events, _ := filepath.Glob(filepath.Join(dir, "events.*")); len(events) == 0 || len(events) > 2 {
		t.Errorf("events %v", events)
	}
}

// A folder is one process's at a time; that of one that was killed is free.
func TestFolderInUse(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no locks here")
	}
	w := newWorld(t)
	dir := filepath.Join(w.dir, "x")
	claim, err := train.Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, more := range []string{"--json", "--resume", "--overwrite"} {
		if status, _, log := call(t, t.Context(), w.args("x", "--steps", "1", more)...); status != 1 || !strings.Contains(log, "--out: "+dir+": another process is at work there") || strings.Count(log, "\n") != 1 {
			t.Errorf("%s: status %d, %s", more, status, log)
		}
	}
	must(t, t.Context(), w.args("x", "--steps", "1", "--dry-run")...)
	if err := claim.Close(); err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(dir, train.LockFile)
	if err := os.WriteFile(lock, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, t.Context(), w.args("x", "--steps", "1")...)
	if _, err := os.Stat(lock); err == nil {
		t.Error("a run that has ended left its lock")
	}
}

// A model that is no run's is not replaced by --resume.
func TestResumeWithoutState(t *testing.T) {
	w := newWorld(t)
	must(t, t.Context(), w.args("x", "--steps", "1")...)
	dir := filepath.Join(w.dir, "x")
	if err := os.RemoveAll(filepath.Join(dir, "state")); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, checkpoint.WeightsFile))
	if err != nil {
		t.Fatal(err)
	}
	status, _, log := call(t, t.Context(), w.args("x", "--steps", "2", "--resume")...)
	if status != 1 || !strings.Contains(log, "resume "+dir+": there is a model.safetensors but no state of a run to continue: --overwrite replaces") {
		t.Errorf("status %d, %s", status, log)
	}
	if after, err := os.ReadFile(filepath.Join(dir, checkpoint.WeightsFile)); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the model was replaced (%v)", err)
	}
	must(t, t.Context(), w.args("y", "--steps", "1", "--init", dir)...)
	must(t, t.Context(), w.args("x", "--steps", "2", "--overwrite")...)
	must(t, t.Context(), w.args("x", "--steps", "2", "--resume")...)
}

// A run is not continued with the features of another CLIP, nor is one of before their numbers were kept refused.
func TestResumeWithOtherFeatures(t *testing.T) {
	w := newWorld(t)
	must(t, t.Context(), w.args("x", "--steps", "1")...)
	text, err := os.ReadFile(w.features)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(w.dir, "other.npy")
	copy(text[len(text)-4:], []byte{0, 0, 0x80, 0x3f}) // the last number of all
	if err := os.WriteFile(other, text, 0o644); err != nil {
		t.Fatal(err)
	}
	args := w.args("x", "--steps", "1", "--resume", "--features", other)
	if status, _, log := call(t, t.Context(), args...); status != 1 || !strings.Contains(log, "the features are not those of the run") {
		t.Errorf("status %d, %s", status, log)
	}
	path := filepath.Join(w.dir, "x", "state", "run.json")
	var state map[string]any
	if text, err = os.ReadFile(path); err == nil {
		err = json.Unmarshal(text, &state)
	}
	if err == nil {
		delete(state, "features")
		text, err = json.Marshal(state)
	}
	if err != nil || os.WriteFile(path, text, 0o644) != nil {
		t.Fatal(err)
	}
	must(t, t.Context(), args...)
}

// A run that has come to its end is resumed to say what it came to, and to export it.
func TestResumeAtTheEnd(t *testing.T) {
	w := newWorld(t)
	var first, again train.Summary
	for _, s := range []*train.Summary{&first, &again} {
		if err := json.Unmarshal([]byte(must(t, t.Context(), w.args("run", "--steps", "3", "--resume", "--json")...)), s); err != nil {
			t.Fatal(err)
		}
	}
	if first.Loss == 0 || again != first {
		t.Errorf("%+v, then %+v", first, again)
	}
	pt := filepath.Join(w.dir, "run.pt")
	if out := must(t, t.Context(), w.args("run", "--steps", "3", "--resume", "--export", pt)...); !strings.Contains(out, fmt.Sprintf("3 of 3 steps, loss %.4f", first.Loss)) {
		t.Errorf("result %q", out)
	}
	if _, err := os.Stat(pt); err != nil {
		t.Error(err)
	}
}

// A flag of another mapper is refused where it was typed; a recipe or a file of flags may hold flags for more than one, and a file's flags win
// over a recipe's.
func TestFlagsOfAnotherMapper(t *testing.T) {
	w := newWorld(t)
	must(t, t.Context(), w.args("mlp", "--steps", "1")...)
	init := filepath.Join(w.dir, "mlp")
	if status, _, log := call(t, t.Context(), w.args("y", "--init", init, "--clip-length", "5")...); status != 1 || !strings.Contains(log, "--clip-length is for --mapper transformer, --init "+init+" has mlp") {
		t.Errorf("--init: status %d, %s", status, log)
	}
	config := filepath.Join(w.dir, "flags.json")
	if err := os.WriteFile(config, []byte(`{"mapper": "transformer", "clip-length": 4, "layers": 2, "epochs": 3}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		more  []string
		kind  string
		steps int64
	}{
		{[]string{"--config", config}, "transformer", 6},
		{[]string{"--config", config, "--layers", "1"}, "transformer", 6},
		{[]string{"--config", config, "--mapper", "mlp"}, "mlp", 6},
		{[]string{"--recipe", "coco-mlp-tuned", "--prefix-length", "3"}, "mlp", 20},
		{[]string{"--config", config, "--recipe", "coco-mlp-tuned", "--prefix-length", "3"}, "transformer", 6},
	} {
		var p plan
		if err := json.Unmarshal([]byte(must(t, t.Context(), w.args("z", append(c.more, "--dry-run", "--json")...)...)), &p); err != nil {
			t.Fatal(err)
		}
		if p.Mapper != c.kind || p.Steps != c.steps {
			t.Errorf("%v: %s, %d steps, want %s, %d", c.more, p.Mapper, p.Steps, c.kind, c.steps)
		}
	}
}

// The parameter counts of the paper's rows.
func TestDryRun(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		recipe          string
		mapper, trained int
	}{
		{"coco-transformer-frozen", 10*16*9 + 10*16 + 8*(4*16*16+16+4*16+4*16*16+3*16), 10*16*9 + 10*16 + 8*(4*16*16+16+4*16+4*16*16+3*16)},
	} {
		var p plan
		out := must(t, t.Context(), "--features", w.features, "--captions", w.captions, "--gpt2", "random:"+w.gpt2, "--recipe", c.recipe, "--batch-size", "6", "--dry-run", "--json")
		if err := json.Unmarshal([]byte(out), &p); err != nil {
			t.Fatal(err)
		}
		if p.MapperParams != c.mapper || p.Trained != c.trained || p.Captions != 12 || p.Images != 6 || p.Steps != 20 || p.Memory <= 0 {
			t.Errorf("%s: %+v, want %d mapper parameters", c.recipe, p, c.mapper)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, "*", "*")); len(left) > 0 {
		t.Errorf("a dry run wrote %v", left)
	}
}

// A dry run reads what the run would validate on.
func TestDryRunValidation(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(w.dir, "val.jsonl")
	if err := os.WriteFile(path, []byte(`{"image_id":0,"caption":"a horse"} {"image_id":1,"caption":"a dog"} {"image_id":77,"caption":"a dog"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	args := w.args("x", "--dry-run", "--val-captions", path)
	if status, _, log := call(t, t.Context(), args...); status != 1 || !strings.Contains(log, "validation: 1 of 3 captions without a feature") {
		t.Errorf("status %d, %s", status, log)
	}
	if out := must(t, t.Context(), append(args, "--max-missing", "0.4")...); !strings.Contains(out, "\nvalidation      2 of 2 images, 1 without a feature\n") {
		t.Error(out)
	}
	if out := must(t, t.Context(), w.args("x", "--dry-run")...); !strings.Contains(out, "\nvalidation      none\n") {
		t.Error(out)
	}
	var p plan
	if err := json.Unmarshal([]byte(must(t, t.Context(), w.args("x", "--dry-run", "--val-share", "0.4", "--json")...)), &p); err != nil || p.Captions+p.ValCaptions != 12 || p.Images+p.ValImages != 6 || p.ValImages == 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// Features to validate on are not passed over: a pickle has its captions with it, an array has none.
func TestValFeaturesAlone(t *testing.T) {
	w := newWorld(t)
	if status, _, log := call(t, t.Context(), w.args("x", "--steps", "1", "--val-features", w.features)...); status != 1 || !strings.Contains(log, "holds no captions: say where they are (--captions, --val-captions)") {
		t.Errorf("status %d, %s", status, log)
	}
}

// A mapper that knows normalised features alone is not given others without a word.
func TestInitNormalized(t *testing.T) {
	w := newWorld(t)
	must(t, t.Context(), w.args("run", "--steps", "1", "--normalize")...)
	const want = "was trained with normalize true, this run has false"
	for _, more := range [][]string{nil, {"--normalize"}, {"--noise", "0.1"}} {
		status, _, log := call(t, t.Context(), w.args("x", append(more, "--init", filepath.Join(w.dir, "run"), "--dry-run")...)...)
		if status != 0 || strings.Contains(log, want) != (more == nil) {
			t.Errorf("%v: status %d, %s", more, status, log)
		}
	}
}

// Captions left out of the validation are told, as those left out of the training are.
func TestMissingValidation(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(w.dir, "val.jsonl")
	if err := os.WriteFile(path, []byte(`{"image_id":0,"caption":"a horse"} {"image_id":77,"caption":"a dog"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	status, _, log := call(t, t.Context(), w.args("x", "--steps", "1", "--val-captions", path, "--val-images", "0", "--max-missing", "0.5")...)
	if status != 0 || !strings.Contains(log, "validation captions without a feature are left out (captions=1, images=1)") {
		t.Errorf("status %d, %s", status, log)
	}
}

// What a run writes may go into the folder that it makes.
func TestOutputsInTheNewFolder(t *testing.T) {
	w := newWorld(t)
	dir := filepath.Join(w.dir, "x")
	must(t, t.Context(), w.args("x", "--steps", "1", "--log", filepath.Join(dir, "steps.jsonl"), "--export", filepath.Join(dir, "model.pt"))...)
	for _, name := range []string{"steps.jsonl", "model.pt"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file that --log names is not emptied unasked.
func TestLogThatIsThere(t *testing.T) {
	w := newWorld(t)
	log := filepath.Join(w.dir, "notes")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(log, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(want string, more ...string) {
		t.Helper()
		status, _, told := call(t, t.Context(), w.args("x", append(more, "--steps", "1", "--log", log)...)...)
		if text, err := os.ReadFile(log); status != 1 || !strings.Contains(told, want) || string(text) != "mine\n" || err != nil {
			t.Errorf("%v: status %d, %s; the file holds %q (%v)", more, status, told, text, err)
		}
	}
	write("mine\n")
	refused("--log " + log + " is there already: --resume continues the run it is of, --overwrite starts anew")
	refused("--log "+log+" is no log of a run", "--resume")
	must(t, t.Context(), w.args("x", "--steps", "1", "--log", log, "--dry-run")...)
	must(t, t.Context(), w.args("x", "--steps", "1", "--log", log, "--overwrite")...)
	must(t, t.Context(), w.args("x", "--steps", "1", "--log", log, "--resume")...)
	write(`{"st`) // of a run that was killed
	must(t, t.Context(), w.args("x", "--steps", "1", "--log", log, "--resume")...)
	write("")
	must(t, t.Context(), w.args("y", "--steps", "1", "--log", log)...)
	if rs, err := train.ReadLog(log); err != nil || len(rs) != 1 {
		t.Errorf("%v, %v", rs, err)
	}
}

// Captions that say nothing are told.
func TestEmptyCaptions(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(w.dir, "lines.jsonl")
	if err := os.WriteFile(path, []byte(`{"row":0,"caption":""} {"row":1,"caption":"a dog"} {"row":2,"caption":" "}`), 0o644); err != nil {
		t.Fatal(err)
	}
	status, _, log := call(t, t.Context(), w.args("x", "--steps", "1", "--captions", path, "--add-period", "--batch-size", "1", "--dry-run")...)
	if status != 0 || !strings.Contains(log, "empty captions teach nothing (captions=2)") {
		t.Errorf("status %d, %s", status, log)
	}
}

func TestMisuse(t *testing.T) {
	w := newWorld(t)
	zeros := filepath.Join(w.dir, "zeros.npy")
	text, err := os.ReadFile(w.features)
	if err != nil {
		t.Fatal(err)
	}
	clear(text[128:])
	if err := os.WriteFile(zeros, text, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{}, 2, "--features is missing"},
		{[]string{"--features", w.features}, 2, "--out is missing"},
		{w.args("x", "--batch-size", "0"), 2, "--batch-size 0"},
		{w.args("x", "--prefix-length", "-1", "--features", "nowhere"), 2, "--prefix-length -1, want 1 to 65536"},
		{w.args("x", "--prefix-length", "0", "--features", "nowhere"), 2, "--prefix-length 0, want 1 to 65536"},
		{w.args("x", "--clip-length", "0", "--features", "nowhere"), 2, "--clip-length 0, want 1 to 65536"},
		{w.args("x", "--layers", "100000", "--features", "nowhere"), 2, "--layers 100000, want 1 to 65536"},
		{w.args("x", "--samples", "-3", "--features", "nowhere"), 2, "--samples -3, want 0 or more"},
		{w.args("x", "--grad-clip", "Inf"), 2, "--grad-clip +Inf, want"},
		{w.args("x", "--grad-clip", "1e300"), 2, "--grad-clip 1e+300, want"},
		{w.args("x", "--lr", "1e20"), 2, "--lr 1e+20, want 0 to 1"},
		{w.args("x", "--lr", "NaN"), 2, "--lr NaN, want 0 to 1"},
		{w.args("x", "--lr", "+Inf"), 2, "--lr +Inf, want 0 to 1"},
		{w.args("x", "--lr", "-1e-5"), 2, "--lr -1e-05, want 0 to 1"},
		{w.args("x", "--warmup", "9000000000000000000"), 2, "--warmup 9000000000000000000, want"},
		{w.args("x", "--weight-decay", "NaN"), 2, "--weight-decay NaN, want"},
		{w.args("x", "--noise", "NaN"), 2, "--noise NaN, want"},
		{w.args("x", "--dropout", "NaN"), 2, "--dropout NaN, want"},
		{w.args("x", "--dropout", "-Inf"), 2, "--dropout -Inf, want"},
		{w.args("x", "--max-missing", "NaN"), 2, "--max-missing NaN, want"},
		{w.args("x", "--val-share", "NaN"), 2, "--val-share NaN, want"},
		{w.args("x", "--gemm", ""), 2, `--gemm "": want auto, ptx or cublas`},
		{w.args("x", "--mapper", "mlp", "--clip-length", "5"), 2, "--clip-length is for --mapper transformer, the mapper is mlp"},
		{w.args("x", "--layers", "5"), 2, "--layers is for --mapper transformer, the mapper is mlp"},
		{w.args("x", "--mapper", "linear", "--layers", "5"), 2, "--layers is for --mapper transformer, the mapper is linear"},
		{w.args("x", "--recipe", "coco-mlp-tuned", "--layers", "5"), 2, "--layers is for --mapper transformer, the mapper is mlp"},
		{w.args("x", "--epochs", "-1"), 2, "--epochs -1, want 0"},
		{w.args("x", "--split", "trian"), 2, "--split: unknown split"},
		{w.args("x", "--device", "tpu", "--features", "nowhere"), 2, "--device"},
		{w.args("x", "--out", w.captions), 1, "is a file, want a folder"},
		{w.args("x", "--export", w.dir), 1, "--export"},
		{w.args("x", "--export", filepath.Join(w.dir, "m.safetensors")), 2, "want a name that ends in .pt, .pth or .bin; the checkpoint in --out is safetensors as it is"},
		{w.args("x", "--export", filepath.Join(w.dir, "model")), 2, "want a name that ends in .pt, .pth or .bin"},
		{w.args("x", "--log", filepath.Join(w.dir, "none", "log")), 1, "--log"},
		{w.args("x", "--warmup", "soon"), 2, `--warmup "soon"`},
		{w.args("x", "--recipe", "soup"), 2, `--recipe "soup"`},
		{w.args("x", "--keep-best", "cider"), 2, "without --val-captions"},
		{w.args("x", "--val-share", "1"), 2, "--val-share 1"},
		{w.args("x", "--val-share", "0.1", "--val-captions", w.captions), 2, "want one of them"},
		{w.args("x", "--mapper", "mamba"), 2, "mamba"},
		{w.args("x", "--val-split", "val"), 2, "--val-captions is missing"},
		{w.args("x", "--lora", "2", "--frozen-lm"), 2, "want one of them (--frozen-lm=false)"},
		{w.args("x", "--resume", "--overwrite"), 2, "want one of them"},
		{w.args("x", "--captions", filepath.Join(w.dir, "none.json")), 1, "--captions"},
		{w.args("x", "--batch-size", "13"), 1, "no batch of 13 can be filled from 12 captions"},
		{w.args("x", "--split", "train"), 1, "has no splits"},
		{w.args("x", "--gpt2", filepath.Join(w.dir, "nothing")), 1, "--gpt2"},
		{w.args("x", "--freeze", "gpt.nothing.*"), 1, "matches no weight"},
		{w.args("x", "--prefix-length", "60"), 1, "positions"},
		{w.args("x", "--normalize", "--features", zeros), 1, "zeros.npy: row 0 (image id 0): all numbers are 0, which cannot be normalised (6 such rows in all)"},
		{w.args("x", "--noise", "0.1", "--features", zeros), 1, "which cannot be normalised"},
	} {
		if status, _, log := call(t, t.Context(), c.args...); status != c.status || !strings.Contains(log, c.want) {
			t.Errorf("%v: status %d, %s; want %d and %q", c.args, status, log, c.status, c.want)
		}
	}
	if _, err := os.Stat(filepath.Join(w.dir, "x")); err == nil {
		t.Error("a refused run made its folder")
	}
}
