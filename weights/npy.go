package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxNPYHeader is far above what numpy writes for any plain array.
const maxNPYHeader = 1 << 16

// npyTypes maps numpy's descr without its byte order.
var npyTypes = map[string]DType{"f8": F64, "f4": F32, "f2": F16, "i8": I64, "i4": I32, "i2": I16, "i1": I8, "u1": U8, "b1": Bool}

// npyHeader is what stands in front of an array's numbers.
type npyHeader struct {
	dtype   DType
	big     bool
	fortran bool
	shape   []int
	bytes   int64 // of the header itself
}

// readNPY takes the one array of an .npy file; it is called "array".
func (s *Store) readNPY(src section) error {
	s.Container = NPY
	t, err := npyTensor("array", src)
	if err != nil {
		return err
	}
	return s.add(t)
}

func npyTensor(name string, src blob) (*Tensor, error) {
	r, err := src.open(0)
	if err != nil {
		return nil, err
	}
	h, err := readNPYHeader(r)
	r.Close()
	if err != nil {
		return nil, fmt.Errorf("npy header: %w", err)
	}
	n, err := numel(h.shape)
	if err != nil {
		return nil, err
	}
	if want := h.bytes + int64(n)*int64(h.dtype.Size()); want != src.size() {
		return nil, fmt.Errorf("npy: %s %v needs %d bytes with its header, and there are %d", h.dtype, h.shape, want, src.size())
	}
	var strides []int
	if h.fortran {
		turned := slices.Clone(h.shape)
		slices.Reverse(turned)
		strides = rowMajor(turned)
		slices.Reverse(strides)
	}
	return newTensor(name, &storage{dtype: h.dtype, numel: n, big: h.big, blob: after{src, h.bytes}}, 0, h.shape, strides)
}

// after is a blob without its first bytes.
type after struct {
	blob
	skip int64
}

func (a after) size() int64                              { return a.blob.size() - a.skip }
func (a after) open(offset int64) (io.ReadCloser, error) { return a.blob.open(a.skip + offset) }

func (a after) view() []byte {
	if v := a.blob.view(); v != nil {
		return v[a.skip:]
	}
	return nil
}

// readNPYHeader reads magic, version, length and the Python dict behind them.
func readNPYHeader(r io.Reader) (npyHeader, error) {
	var h npyHeader
	fixed := make([]byte, 12)
	if _, err := io.ReadFull(r, fixed[:10]); err != nil || string(fixed[:6]) != "\x93NUMPY" {
		return h, errors.New("not an .npy file")
	}
	n, at := int64(binary.LittleEndian.Uint16(fixed[8:])), int64(10)
	switch fixed[6] {
	case 1:
	case 2, 3:
		if _, err := io.ReadFull(r, fixed[10:]); err != nil {
			return h, err
		}
		n, at = int64(binary.LittleEndian.Uint32(fixed[8:])), 12
	default:
		return h, fmt.Errorf("version %d, want 1 to 3", fixed[6])
	}
	if n > maxNPYHeader {
		return h, fmt.Errorf("%d bytes long, more than %d", n, maxNPYHeader)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return h, err
	}
	h.bytes = at + n
	return h, h.parse(string(text))
}

var (
	npyDescr   = regexp.MustCompile(`['"]descr['"]\s*:\s*['"]([<>|=]?)([a-zA-Z]\d+)['"]`)
	npyFortran = regexp.MustCompile(`['"]fortran_order['"]\s*:\s*(True|False)`)
	npyShape   = regexp.MustCompile(`['"]shape['"]\s*:\s*\(([\d\s,L]*)\)`)
)

// parse reads {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
func (h *npyHeader) parse(text string) error {
	descr, fortran, shape := npyDescr.FindStringSubmatch(text), npyFortran.FindStringSubmatch(text), npyShape.FindStringSubmatch(text)
	if descr == nil || fortran == nil || shape == nil {
		return fmt.Errorf("%.80q: want descr of a plain number, fortran_order and shape", text)
	}
	var ok bool
	if h.dtype, ok = npyTypes[descr[2]]; !ok {
		return fmt.Errorf("dtype %q is not read", descr[1]+descr[2])
	}
	h.big, h.fortran, h.shape = descr[1] == ">", fortran[1] == "True", []int{}
	for field := range strings.SplitSeq(shape[1], ",") {
		field = strings.TrimSuffix(strings.TrimSpace(field), "L")
		if field == "" {
			continue
		}
		d, err := strconv.Atoi(field)
		if err != nil {
			return fmt.Errorf("shape (%s): %w", shape[1], err)
		}
		h.shape = append(h.shape, d)
	}
	if len(h.shape) > maxRank {
		return fmt.Errorf("%d dimensions, at most %d are read", len(h.shape), maxRank)
	}
	return nil
}
