package weights

import (
	"encoding/hex"
	"strings"
	"testing"
)

// TestNumpyScalars reads what numpy 2.4 pickled, in protocols 2 and 4.
func TestNumpyScalars(t *testing.T) {
	const head2, head4 = "\x80\x02cnumpy._core.multiarray\nscalar\ncnumpy\ndtype\n", "\x80\x04\x8c\x16numpy._core.multiarray\x94\x8c\x06scalar\x94\x93\x94\x8c\x05numpy\x94\x8c\x05dtype\x94\x93\x94"
	const rest = "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
	dtype := func(name, order string) string {
		return "X\x02\x00\x00\x00" + name + "\x89\x88\x87R(K\x03X\x01\x00\x00\x00" + order + rest
	}
	bytes := func(text string) string {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return "C" + string(rune(len(b))) + string(b) + "\x86R."
	}
	for _, c := range []struct {
		pickle string
		want   int64
		kind   string // where it is no integer that is read
	}{
		{head2 + dtype("i8", "<") + "c_codecs\nencode\nX\x10\x00\x00\x00\xc3\xbb\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbfX\x06\x00\x00\x00latin1\x86R\x86R.", -5, ""},
		{head4 + dtype("i8", "<") + bytes("fbffffffffffffff"), -5, ""},
		{head4 + dtype("u1", "|") + bytes("c8"), 200, ""},
		{head4 + dtype("i1", "|") + bytes("c8"), -56, ""},
		{head4 + dtype("i4", ">") + bytes("0000012c"), 300, ""},
		{head4 + dtype("u2", "<") + bytes("2c81"), 0x812c, ""},
		{strings.Replace(head4, "\x16numpy._core", "\x15numpy.core", 1) + dtype("i4", "<") + bytes("07000000"), 7, ""},
		{head4 + dtype("u8", "<") + bytes("ffffffffffffffff"), 0, "of type u8"},
		{head4 + dtype("f8", "<") + bytes("000000000000f03f"), 0, "of type f8"},
		{head4 + dtype("i8", "<") + bytes("fbff"), 0, "of type i8"},
		{head4 + dtype("i3", "<") + bytes("fbffff"), 0, "of type i3"},
		{head4 + dtype("b1", "|") + bytes("01"), 0, "of type b1"},
		{head4 + "C\x01\x01\x86R.", 0, "a record of numpy._core.multiarray.scalar"},
	} {
		s, err := openBytes("x.pkl", []byte(c.pickle))
		if err != nil {
			t.Errorf("%q: %v", c.pickle, err)
			continue
		}
		r, ok := s.Object.(*Record)
		if !ok {
			t.Errorf("%q: %s", c.pickle, KindOf(s.Object))
			continue
		}
		if got, ok := r.Integer(); ok != (c.kind == "") || ok && got != c.want || !strings.Contains(KindOf(r), c.kind) {
			t.Errorf("%q: %d %v, %s; want %d %s", c.pickle, got, ok, KindOf(r), c.want, c.kind)
		}
	}
}
