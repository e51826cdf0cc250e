package ptb

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// official runs the tokenizer's own jar, where CLIPCAP_PYCOCOEVALCAP names pycocoevalcap's folder and there is Java, on lines without
// line separators and returns the line of tokens of each.
func official(t *testing.T, lines []string) []string {
	t.Helper()
	dir := os.Getenv("CLIPCAP_PYCOCOEVALCAP")
	if dir == "" {
		t.Skip("CLIPCAP_PYCOCOEVALCAP does not name pycocoevalcap's folder")
	}
	in := filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(in, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	jar := filepath.Join(dir, "tokenizer", "stanford-corenlp-3.4.1.jar")
	out, err := exec.Command("java", "-Dfile.encoding=UTF-8", "-cp", jar, "edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase", in).Output()
	if err != nil {
		t.Fatalf("%s: %v", jar, err)
	}
	want := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	for len(want) < len(lines) { // trailing lines without a token
		want = append(want, "")
	}
	return want
}

func compareWithOfficial(t *testing.T, lines []string) {
	t.Helper()
	want, bad := Final(official(t, lines)), 0
	for i, got := range Tokenize(lines) {
		if got != want[i] {
			if bad++; bad <= 20 {
				t.Errorf("%q: %q, the jar %q", lines[i], got, want[i])
			}
		}
	}
	t.Logf("%d of %d lines differ", bad, len(lines))
}

// Every character of the basic plane, surrogates and line separators aside, is in the class that the tokenizer has it in.
func TestOfficialCharacters(t *testing.T) {
	for _, form := range []string{"a X b", "aXb", "1X2", "XX"} {
		var lines []string
		for r := rune(1); r < 1<<16; r++ {
			if (r < 0xD800 || r > 0xDFFF) && !strings.ContainsRune(lineEnd, r) {
				lines = append(lines, strings.ReplaceAll(form, "X", string(r)))
			}
		}
		compareWithOfficial(t, lines)
	}
}

// oddTokens are texts that rules are about; the test below runs them together.
var oddTokens = strings.Split("a man dog the cannot gonna 'tis 'Twas U.S. U.K. p.m. Mr. Mrs. Dr. St. Jan. No. fig. Inc. Co. Corp. vs. etc. e.g. B. A B don't Can't it's he'll I'm ain't "+
	"d'Arc o'clock O'Neil y'all 'em '90s 5'10 10% $5.00 £3 €4 ¢ 1/2 3½ 10:30 3.5 1,000 1st #tag @user a@b.com http://x.y/z http://a www.foo.com/b foo.org file.jpg AT&T R&B. S&P-500 T-shirt x-ray co-op "+
	"pre- anti- 555-1234 (555) .. ... .... … -- ---- – — ' \" `` '' “ ” ‘ ’ « » ( ) [ ] { } < > <b> </b> <br/> & &amp; &lt; * ** / \\ | ~ ^ _ = + C++ C# % ? ! ?! ??? , ; : :) ;-) <3 ^_^ ^.^ "+
	"é café Ω Москва 日本 😀 ★ ° © ² § ¿ ß İ \u00AD so\u00ADft \u200B \uFEFF \u00A0 \u3000 e\u0301 \x7F Ph.D. Jr. Ltd. Then The If Canada-U.S. non-U.S. 's n't c'mon cap'n nothin' 12/25/99 .5 5. × • ⁄ 1⁄2 lb. 、 ؟", " ")

// Odd tokens in any company and strings of odd characters.
func TestOfficialOddities(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	glue := []string{"", " ", " ", " ", "-", "/", ".", ",", "'", ":"}
	letters := []rune("abcdeABTh'`\".,;:?!-–—_()[]<>&/\\#@$%*+=~^|0123456789 \u00A0’‘“”déñü½€£😀日\u00AD\u3000\u200B")
	lines := make([]string, 40000)
	for i := range lines {
		var s strings.Builder
		for range rng.IntN(20) {
			if i%3 == 0 {
				s.WriteRune(letters[rng.IntN(len(letters))])
			} else {
				s.WriteString(oddTokens[rng.IntN(len(oddTokens))] + glue[rng.IntN(len(glue))])
			}
		}
		lines[i] = s.String()
	}
	compareWithOfficial(t, lines)
}
