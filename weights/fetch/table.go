// Package fetch knows where the published models are, finds them on this machine, and downloads them.
//
// Nothing here is done unasked: Locate only looks, Fetch only runs when a command is told to use the network.
package fetch

import (
	"fmt"
	"strings"
)

// Model is a published model or file, under the name users know it by.
type Model struct {
	Name  string
	Kind  string // clip, gpt2, clipcap or vocabulary
	About string
	Files []File // the first is the one with the weights
}

// File is one file of a model.
type File struct {
	Name    string
	SHA256  string // in hexadecimal; empty where none is published: then the one that the host tells counts
	Size    int64  // in bytes, 0 where not known
	Sources []Source
}

// Source is a place a file is published at.
type Source struct {
	Host Host
	Path string // after the host's base URL
}

// Host is a site with files.
type Host string

// The hosts, by the default base URL of each.
const (
	OpenAI      Host = "https://openaipublic.azureedge.net"
	HuggingFace Host = "https://huggingface.co"
	Drive       Host = "https://drive.usercontent.google.com"
	GitHub      Host = "https://github.com"
)

// openAI are CLIP's files at OpenAI (openai/CLIP, clip/clip.py): the folder is the file's SHA-256.
var openAI = [][2]string{
	{"RN50", "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762/RN50.pt"},
	{"RN101", "8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599/RN101.pt"},
	{"RN50x4", "7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd/RN50x4.pt"},
	{"RN50x16", "52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa/RN50x16.pt"},
	{"RN50x64", "be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c/RN50x64.pt"},
	{"ViT-B/32", "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af/ViT-B-32.pt"},
	{"ViT-B/16", "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f/ViT-B-16.pt"},
	{"ViT-L/14", "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836/ViT-L-14.pt"},
	{"ViT-L/14@336px", "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02/ViT-L-14-336px.pt"},
}

// gpt2 are the language models at Hugging Face: repository, commit, and of model.safetensors the SHA-256 and the size where it is
// known.
var gpt2 = []struct {
	name, repository, revision, sha256 string
	size                               int64
	about                              string
}{
	{"gpt2", "openai-community/gpt2", "607a30d783dfa663caf39e06633721c8d4cfcd7e",
		"248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707", 548105171, "GPT-2 small, 124 million parameters"},
	{"gpt2-medium", "openai-community/gpt2-medium", "6dcaa7a952f72f9298047fd5137cd6e4f05f41da",
		"fc5a354a19255ad494f3d71549390baca1ccf61d1d822b9408971705c687c9cd", 0, "GPT-2 medium, 355 million parameters"},
	{"gpt2-large", "openai-community/gpt2-large", "32b71b12589c2f8d625668d2335a01cac3249519",
		"5f47f3e12f91cd33b662ce7e433b6150ad5512b5884a2cee961b50e9c3bbebce", 0, "GPT-2 large, 774 million parameters"},
	{"gpt2-xl", "openai-community/gpt2-xl", "15ea56dee5df4983c59b2538573817e1667135e2",
		"0f8b28eb05a8075f48b61b6f35332978c74fc7763fa9fb4051a1c30511736a6a", 0, "GPT-2 XL, 1558 million parameters"},
	{"distilgpt2", "distilbert/distilgpt2", "2290a62682d06624634c1f46a6ad5be0f47f38aa",
		"e1ff18884359fe8beb795a5f414feb85a6ce3d929ad019c0d958c039d2b94a1b", 352824413, "DistilGPT-2, 82 million parameters"},
}

// Models are all published models the table knows.
func Models() []Model {
	var all []Model
	for _, m := range openAI {
		hash, name, _ := strings.Cut(m[1], "/")
		all = append(all, Model{Name: m[0], Kind: "clip", About: "OpenAI's CLIP " + m[0],
			Files: []File{{Name: name, SHA256: hash, Sources: []Source{{OpenAI, "/clip/models/" + m[1]}}}}})
	}
	for _, m := range gpt2 {
		h := hugging(m.name, m.repository, m.revision, m.about)
		w, c := &h.Files[0], &h.Files[1]
		w.SHA256, w.Size = m.sha256, m.size
		if m.name == "gpt2" {
			c.SHA256, c.Size = "0daed7749b4f02b8f76240d5444551d7b08712dab4d0adb8239c56ba823bb7b4", 665
		}
		all = append(all, h)
	}
	return append(all,
		Model{Name: "coco", Kind: "clipcap", About: "ClipCap's MLP model of COCO: ViT-B/32, prefix 10, features not normalised", Files: []File{{Name: "coco_weights.pt", Sources: []Source{
			{HuggingFace, "/akhaliq/CLIP-prefix-captioning-COCO-weights/resolve/main/coco_weights.pt"}, drive("1IdaBtMSvtyzF0ByVaBHtvM0JYSXRExRX")}}}},
		Model{Name: "conceptual", Kind: "clipcap", About: "ClipCap's MLP model of Conceptual Captions: ViT-B/32, prefix 10, features not normalised", Files: []File{{Name: "conceptual_weights.pt", Sources: []Source{
			{HuggingFace, "/akhaliq/CLIP-prefix-captioning-conceptual-weights/resolve/7851f7b3a552313405818648fe807ada460478b0/conceptual_weights.pt"},
			{HuggingFace, "/OpenShape/clipcap-cc/resolve/9a707d24181744ca91b1a57f667a79c6d725c0b8/conceptual_weights.pt"}, drive("14pXWwB4Zm82rsDdvbGguLfx9F8aM7ovT")}}}},
		Model{Name: "coco-transformer", Kind: "clipcap", About: "ClipCap's transformer model of COCO: RN50x4, prefix 40, features normalised", Files: []File{{Name: "transformer_weights.pt", Sources: []Source{
			drive("1GYPToCqFREwi285wPLhuVExlz7DDUDfJ")}}}},
		Model{Name: "clip-vocabulary", Kind: "vocabulary", About: "the vocabulary of CLIP's text tower", Files: []File{{Name: "bpe_simple_vocab_16e6.txt.gz",
			SHA256: "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a", Sources: []Source{{GitHub, "/openai/CLIP/raw/main/clip/bpe_simple_vocab_16e6.txt.gz"}}}}})
}

// hugging is a language model at Hugging Face. Its vocabulary is part of this program.
func hugging(name, repository, revision, about string) Model {
	at := func(file string) []Source {
		return []Source{{HuggingFace, "/" + repository + "/resolve/" + revision + "/" + file}}
	}
	return Model{Name: name, Kind: "gpt2", About: about,
		Files: []File{{Name: "model.safetensors", Sources: at("model.safetensors")}, {Name: "config.json", Sources: at("config.json")}}}
}

// drive is a file at Google Drive; confirm skips the page that warns of what was not scanned.
func drive(id string) Source {
	return Source{Drive, "/download?id=" + id + "&export=download&confirm=t"}
}

// Find is the model of a name; the case of letters does not count.
func Find(name string) (Model, bool) {
	for _, m := range Models() {
		if strings.EqualFold(m.Name, name) || m.Kind == "clip" && strings.EqualFold(folderName(m.Name), name) {
			return m, true
		}
	}
	return Model{}, false
}

// folderName is a model's name as a folder: ViT-L/14@336px becomes ViT-L-14-336px.
func folderName(name string) string { return strings.NewReplacer("/", "-", "@", "-").Replace(name) }

// unknown is the error for a name that is neither a model nor a path.
func unknown(name string) error {
	var names []string
	for _, m := range Models() {
		names = append(names, m.Name)
	}
	return fmt.Errorf("%q is neither a file nor a published model: want a path or one of %s", name, strings.Join(names, ", "))
}
