package ptxsim

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Module is parsed PTX.
type Module struct {
	Kernels map[string]*Kernel
	shared  map[string]sharedVar // declared outside kernels, offsets from 0 for the one extern array
}

// Kernel is one entry of a module.
type Kernel struct {
	Name   string
	Params []int // sizes in bytes
	// MaxThreads is the block size the kernel was compiled for, 0 for any.
	MaxThreads int

	params map[string]int // number by name
	shared map[string]sharedVar
	static int // bytes of shared memory besides the launch's
	regs   map[string]int
	consts []uint64 // values of the registers behind regs
	code   []instr
}

type sharedVar struct {
	off    int
	extern bool
}

// instr is one instruction, its operands resolved to registers.
type instr struct {
	text   string
	pred   int // register, -1 for none
	negate bool
	target int // of a branch, else -1
	kind   kind
	exec   func(w *warp, lanes uint32)
}

// kind says how the warp loop treats an instruction.
type kind uint8

const (
	plain   kind = iota
	branch       // bra
	exit         // ret
	warpOp       // all lanes together, or wait
	blockOp      // bar.sync
)

var (
	entryLine   = regexp.MustCompile(`^\.visible \.entry (\w+)\(`)
	paramLine   = regexp.MustCompile(`^\.param \.([a-z]\d+) (\w+),?$`)
	sharedLine  = regexp.MustCompile(`^(\.extern )?(?:\.visible )?\.shared \.align (\d+) \.b8 ([\w$]+)\[(\d*)\];$`)
	regLine     = regexp.MustCompile(`^\.reg \.\w+\s+%(\w+)<(\d+)>;$`)
	scratchLine = regexp.MustCompile(`^\{ \.reg \.\w+ (\w+); ([^;]*); \}$`)
	labelLine   = regexp.MustCompile(`^(\$[\w$]+):$`)
)

// Parse reads the text of a module. Whatever it does not know is an error, so that a kernel never runs half understood.
func Parse(text string) (*Module, error) {
	m := &Module{Kernels: map[string]*Kernel{}, shared: map[string]sharedVar{}}
	var k *Kernel
	var body []string
	var labels map[string]int
	depth := 0
	for n, line := range strings.Split(text, "\n") {
		if i := strings.Index(line, "//"); i >= 0 {
			line = line[:i]
		}
		line = strings.Join(strings.Fields(line), " ")
		fail := func(err error) (*Module, error) { return nil, fmt.Errorf("ptx line %d: %w", n+1, err) }
		switch {
		case line == "", line == ")", line == ");", strings.HasPrefix(line, ".version"), strings.HasPrefix(line, ".target"),
			strings.HasPrefix(line, ".address_size"), strings.HasPrefix(line, ".pragma"), strings.HasPrefix(line, ".minnctapersm"):
		case entryLine.MatchString(line):
			k = &Kernel{Name: entryLine.FindStringSubmatch(line)[1], params: map[string]int{}, shared: map[string]sharedVar{}, regs: map[string]int{}}
			body, labels = nil, map[string]int{}
			m.Kernels[k.Name] = k
		case paramLine.MatchString(line) && k != nil:
			p := paramLine.FindStringSubmatch(line)
			bits, _ := strconv.Atoi(p[1][1:])
			k.params[p[2]] = len(k.Params)
			k.Params = append(k.Params, bits/8)
		case strings.HasPrefix(line, ".maxntid") && k != nil:
			x, _, _ := strings.Cut(strings.TrimPrefix(line, ".maxntid "), ",")
			k.MaxThreads, _ = strconv.Atoi(x)
		case sharedLine.MatchString(line):
			s := sharedLine.FindStringSubmatch(line)
			align, _ := strconv.Atoi(s[2])
			size, _ := strconv.Atoi(s[4])
			if align < 1 || align > 1024 || size > 1<<20 {
				return fail(fmt.Errorf("shared memory of %d bytes, aligned to %d", size, align))
			}
			v := sharedVar{extern: s[1] != ""}
			if k == nil || depth == 0 {
				if !v.extern {
					return fail(fmt.Errorf("shared memory of a module: %s", line))
				}
				m.shared[s[3]] = v
				continue
			}
			k.static = (k.static + align - 1) / align * align
			v.off = k.static
			k.static += size
			k.shared[s[3]] = v
		case line == "{":
			depth++
		case k == nil:
			return fail(fmt.Errorf("outside a kernel: %s", line))
		case line == "}":
			depth--
			if err := k.compile(m, body, labels); err != nil {
				return nil, fmt.Errorf("ptx kernel %s: %w", k.Name, err)
			}
			k = nil
		case regLine.MatchString(line):
			r := regLine.FindStringSubmatch(line)
			count, _ := strconv.Atoi(r[2])
			if count > mostRegisters {
				return fail(fmt.Errorf("%d registers", count))
			}
			for i := range count {
				k.regs["%"+r[1]+strconv.Itoa(i)] = len(k.regs)
			}
		case scratchLine.MatchString(line): // { .reg .b32 tmp; one instruction; }
			r := scratchLine.FindStringSubmatch(line)
			if _, ok := k.regs[r[1]]; !ok {
				k.regs[r[1]] = len(k.regs)
			}
			body = append(body, strings.TrimSpace(r[2]))
		case labelLine.MatchString(line):
			labels[labelLine.FindStringSubmatch(line)[1]] = len(body)
		case depth == 1 && strings.HasSuffix(line, ";"):
			for _, s := range strings.Split(strings.TrimSuffix(line, ";"), ";") {
				if s = strings.TrimSpace(s); s != "" {
					body = append(body, s)
				}
			}
		default:
			return fail(fmt.Errorf("not understood: %s", line))
		}
	}
	return m, nil
}

// mostRegisters is what one declaration may have, far more than any kernel.
const mostRegisters = 1 << 16

// compile resolves the instructions of a kernel.
func (k *Kernel) compile(m *Module, body []string, labels map[string]int) (err error) {
	text := ""
	defer func() {
		if r := recover(); r != nil { // an operand less than the instruction has
			err = fmt.Errorf("%s: %v", text, r)
		}
	}()
	for name, v := range m.shared { // the extern array lies behind the kernel's own
		k.static = (k.static + 15) / 16 * 16
		v.off = k.static
		k.shared[name] = v
	}
	for _, text = range body {
		text := text
		in := instr{text: text, pred: -1, target: -1}
		if text[0] == '@' {
			p, rest, _ := strings.Cut(text[1:], " ")
			p, in.negate = strings.TrimPrefix(p, "!"), p[0] == '!'
			r, ok := k.regs[p]
			if !ok {
				return fmt.Errorf("%s: no register %s", text, p)
			}
			in.pred, text = r, strings.TrimSpace(rest)
		}
		op, rest, _ := strings.Cut(text, " ")
		args := operands(rest)
		switch op {
		case "bra", "bra.uni":
			t, ok := labels[args[0]]
			if !ok {
				return fmt.Errorf("%s: no such label", text)
			}
			in.kind, in.target = branch, t
		case "ret", "exit":
			in.kind = exit
		default:
			if err := k.resolve(&in, op, args); err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
		}
		k.code = append(k.code, in)
	}
	return nil
}

// operands splits at the commas outside braces and brackets.
func operands(s string) []string {
	var out []string
	depth, from := 0, 0
	for i, c := range s {
		switch c {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, strings.TrimSpace(s[from:i]))
				from = i + 1
			}
		}
	}
	if t := strings.TrimSpace(s[from:]); t != "" {
		out = append(out, t)
	}
	return out
}

// constant is a register that holds v in every lane.
func (k *Kernel) constant(v uint64) int {
	for i, c := range k.consts {
		if c == v {
			return len(k.regs) + i
		}
	}
	k.consts = append(k.consts, v)
	return len(k.regs) + len(k.consts) - 1
}

// operand is the register of a name or a constant.
func (k *Kernel) operand(s string) (int, error) {
	if r, ok := k.regs[s]; ok {
		return r, nil
	}
	if v, ok := k.shared[s]; ok {
		return k.constant(uint64(v.off)), nil
	}
	switch {
	case strings.HasPrefix(s, "0f"):
		v, err := strconv.ParseUint(s[2:], 16, 32)
		return k.constant(v), err
	case strings.HasPrefix(s, "0d"):
		v, err := strconv.ParseUint(s[2:], 16, 64)
		return k.constant(v), err
	}
	if v, err := strconv.ParseInt(s, 0, 64); err == nil {
		return k.constant(uint64(v)), nil
	}
	if v, err := strconv.ParseUint(s, 0, 64); err == nil {
		return k.constant(v), nil
	}
	return 0, fmt.Errorf("operand %s", s)
}

// list is the registers of {a, b, …}, or of one name.
func (k *Kernel) list(s string) ([]int, error) {
	s = strings.Trim(s, "{}")
	var rs []int
	for _, f := range strings.Split(s, ",") {
		r, err := k.operand(strings.TrimSpace(f))
		if err != nil {
			return nil, err
		}
		rs = append(rs, r)
	}
	return rs, nil
}

// address is [register+offset].
func (k *Kernel) address(s string) (reg int, off uint64, err error) {
	s = strings.Trim(s, "[]")
	base, o, found := strings.Cut(s, "+")
	if found {
		v, err := strconv.ParseInt(strings.TrimSpace(o), 0, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("address %s", s)
		}
		off = uint64(v)
	}
	reg, err = k.operand(strings.TrimSpace(base))
	return reg, off, err
}

// Static is the shared memory in bytes that a block has besides the launch's.
func (k *Kernel) Static() int { return k.static }
