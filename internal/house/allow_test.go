package house

// module is the import path in front of our own packages.
const module = "github.com/clipcap-go/clipcap"

// allowed says what the code of each package, tests aside, may import beyond the standard
// library: our own packages by their folder, other modules by their path or its beginning.
// Imports point one way (cmd → clipcap → train, eval, data → clip, gpt2, mapping → nn →
// internal/kernel), so a new line here is a decision about the design, and a package
// without a line fails the test.
//
// "cmd" stands for every command and "." for the root package.
var allowed = map[string][]string{
	"cmd": {".", "internal/files", "train", "checkpoint", "eval", "data", "clip", "gpt2", "mapping", "nn", "weights", "internal/dist", "internal/cli", "internal/plural",
		"github.com/schollz/progressbar/v3"},
	".": {"train", "internal/files", "checkpoint", "eval", "data", "clip", "gpt2", "mapping", "nn", "weights", "weights/fetch", "gorgonia.org/gorgonia"},

	"train": {"checkpoint", "internal/files", "internal/plural", "eval", "data", "clip", "gpt2", "mapping", "nn", "weights", "internal/dist", "gorgonia.org/gorgonia"},
	// snowballstem: METEOR's stems, from the definition that METEOR's own stemmer was made from.
	"eval": {"data", "internal/files", "internal/plural", "clip", "gpt2", "nn", "weights", "gorgonia.org/gorgonia", "github.com/blevesearch/snowballstem"},
	"data": {"clip", "internal/files", "internal/plural", "gpt2", "nn", "weights"},

	"clip": {"clip/pillow", "internal/files", "nn", "weights", "internal/bpe", "golang.org/x/text/unicode/norm", "gorgonia.org/gorgonia", "gorgonia.org/tensor"},
	// Images as Pillow decodes and resizes them; no network.
	"clip/pillow": {"clip/jpeg", "internal/files", "golang.org/x/image", "golang.org/x/sys/cpu"},
	"clip/jpeg":   {"golang.org/x/sys/cpu"},
	"gpt2":        {"internal/files", "nn", "weights", "internal/bpe", "gorgonia.org/gorgonia", "gorgonia.org/tensor", "github.com/pkoukk/tiktoken-go-loader"},
	"mapping":     {"nn", "weights", "gorgonia.org/gorgonia", "gorgonia.org/tensor"},

	// What the trainer writes and the captioner reads.
	"checkpoint": {"gpt2", "internal/files", "mapping", "nn", "weights"},

	"weights": {"nn", "internal/files", "internal/half"},

	// go4.org/unsafe: gorgonia's dependencies refuse to start under a Go newer than this module knows, so nn asks for the newest.
	"nn":            {"internal/kernel", "internal/gpu", "gorgonia.org/gorgonia", "gorgonia.org/tensor", "go4.org/unsafe", "github.com/chewxy/hm"},
	"internal/gpu":  {"internal/kernel", "gorgonia.org/cu"},
	"internal/dist": {},
	// What the two tokenizers, gpt2's and clip's, share.
	"internal/bpe":    {},
	"internal/kernel": {"internal/half", "golang.org/x/sys/cpu"},
	// 16-bit numbers: files store them, kernels compute with them.
	"internal/half": {"golang.org/x/sys/cpu"},
	// Counts in messages, "1 shard" and "2 shards".
	"internal/plural": {},
	// What users name may be a pipe that nobody writes to.
	"internal/files": {},

	// A command line's common part: flags from a file, progress, exit status.
	"internal/cli": {"internal/files", "golang.org/x/sys/unix", "github.com/schollz/progressbar/v3", "golang.org/x/term"},
	// Programs of the developer.
	"internal/bench":   {"internal/kernel", "internal/gpu", "internal/gpu/ptxsim", "nn", "gpt2", "clip", "mapping", "train", "data", "weights", "gorgonia.org/gorgonia", "gorgonia.org/tensor"},
	"internal/scenes":  {},
	"internal/demo":    {"internal/scenes", "internal/bpe", "clip", "gpt2", "nn", "weights", "golang.org/x/image"},
	"internal/testkit": {"nn", "internal/kernel", "internal/gpu", "gorgonia.org/gorgonia", "gorgonia.org/tensor", "golang.org/x/sys/cpu"},
	// A whole checkpoint, which packages below it could not import.
	"internal/testkit/tiny": {"checkpoint", "gpt2", "mapping", "nn", "weights"},
	"internal/house":        {},
}

// forTests may be imported by any test, and by no other code.
// internal/gpu and its simulated device: how commands fail where a GPU does.
var forTests = []string{"internal/testkit", "internal/gpu", "internal/gpu/ptxsim", "github.com/google/go-cmp", "gorgonia.org"}

// cgoTags are the build tags that bring cgo; code that needs it stands behind one of them.
var cgoTags = map[string]bool{"gpu": true, "mpi": true}

// cgoModules need cgo, so they are imported only where a cgo tag is set.
var cgoModules = []string{"C", "gorgonia.org/cu"}
