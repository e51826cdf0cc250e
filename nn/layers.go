package nn

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Linear is x·W + b. The weight keeps the layout of the published files: [in, out] as GPT-2's Conv1D, or
// [out, in] as PyTorch's nn.Linear when OutIn is set.
type Linear struct {
	Weight *Param `weight:"weight"`
	Bias   *Param `weight:"bias,optional"` // [out]; nil: none
	OutIn  bool   // the weight is [out, in]
	// Low, if there, is added to the product: training it alone stands in for training Weight.
	Low *LowRank `weight:"lora"`
}

// LowRank is x·Down·Up (LoRA, Hu et al. 2021, arXiv 2106.09685, with alpha equal to the rank).
type LowRank struct {
	Down *Param `weight:"down"` // [in, rank]
	Up   *Param `weight:"up"`   // [rank, out]
}

// NewLinear is a layer of zeros in PyTorch's layout.
func NewLinear(in, out int, bias bool) Linear {
	return newLinear(NewParam(out, in), out, bias, true)
}

// NewConv1D is a layer of zeros with a bias, in the layout of GPT-2's files.
func NewConv1D(in, out int) Linear { return newLinear(NewParam(in, out), out, true, false) }

func newLinear(w *Param, out int, bias, outIn bool) Linear {
	l := Linear{Weight: w, OutIn: outIn}
	if bias {
		l.Bias = NewParam(out)
	}
	return l
}

// Forward maps x [rows, in] to [rows, out].
func (l *Linear) Forward(x *G.Node) *G.Node {
	p := product{transB: l.OutIn}
	if l.Bias != nil {
		p.bias = l.Bias.Node(x.Graph())
	}
	y := p.node("Linear", x, l.Weight.Node(x.Graph()))
	if l.Low != nil {
		g := x.Graph()
		y = Add(y, MatMul(MatMul(x, l.Low.Down.Node(g), false), l.Low.Up.Node(g), false))
	}
	return y
}

// LayerNorm is (x - mean)/√(variance + Eps)·Gain + Bias for each row x (Ba et al. 2016, arXiv 1607.06450).
type LayerNorm struct {
	Gain *Param `weight:"weight"` // [dim]
	Bias *Param `weight:"bias"`   // [dim]
	Eps  float32
}

// NewLayerNorm is a layer for rows of dim, with gain 1.
func NewLayerNorm(dim int, eps float32) LayerNorm {
	n := LayerNorm{Gain: NewParam(dim), Bias: NewParam(dim), Eps: eps}
	for i := range n.Gain.Data {
		n.Gain.Data[i] = 1
	}
	return n
}

// Forward maps x [rows, dim] to [rows, dim].
func (l *LayerNorm) Forward(x *G.Node) *G.Node {
	return layerNorm(x, l.Gain.Node(x.Graph()), l.Bias.Node(x.Graph()), l.Eps)
}

// Embedding is a table of rows [n, dim].
type Embedding struct {
	Weight *Param `weight:"weight"`
}

// NewEmbedding is a table of n rows of dim zeros.
func NewEmbedding(n, dim int) Embedding { return Embedding{NewParam(n, dim)} }

// Pick takes the rows that index, an int32 input, names; see Gather.
func (e *Embedding) Pick(index *G.Node) Pick { return Pick{e.Weight.Node(index.Graph()), index} }

// Params are the parameters of a model in the order of its fields.
type Params []*Param

// Collect walks a model's struct and names its parameters: the names in the weight tags joined
// by dots, with the index of an element for slices. A field without a tag is not looked at. Tag options
// after a comma are for those who read files; "optional" lets a parameter be nil. What is no pointer to a struct, a parameter that is nil, and
// two of one name are errors.
func Collect(prefix string, model any) (Params, error) {
	var ps Params
	v := reflect.ValueOf(model)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("collect parameters: got %T, want a pointer to a struct", model)
	}
	if err := ps.walk(prefix, v, ""); err != nil {
		return nil, fmt.Errorf("collect parameters of %T: %w", model, err)
	}
	seen := map[string]bool{}
	for _, p := range ps {
		if seen[p.Name] {
			return nil, fmt.Errorf("collect parameters of %T: two are called %q", model, p.Name)
		}
		seen[p.Name] = true
	}
	return ps, nil
}

// walk names and collects the parameters in v, which is called name and has the options of its tag.
func (ps *Params) walk(name string, v reflect.Value, options string) error {
	if p, ok := v.Interface().(*Param); ok {
		switch {
		case p == nil && strings.Contains(options, "optional"):
			return nil
		case p == nil:
			return fmt.Errorf("%s is nil", name)
		}
		p.Name = name
		*ps = append(*ps, p)
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return ps.walk(name, v.Elem(), "")
	case reflect.Slice:
		for i := range v.Len() {
			if err := ps.walk(join(name, strconv.Itoa(i)), v.Index(i), ""); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			tag, ok := v.Type().Field(i).Tag.Lookup("weight")
			if !ok {
				continue
			}
			part, options, _ := strings.Cut(tag, ",")
			if err := ps.walk(join(name, part), v.Field(i), options); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("%s is a %s, which holds no parameters", name, v.Type())
	}
	return nil
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "." + b
}

// Freeze sets Frozen on the parameters whose name the predicate picks and clears it on the others.
func (ps Params) Freeze(frozen func(name string) bool) {
	for _, p := range ps {
		p.Frozen = frozen(p.Name)
	}
}

// Trainable are the parameters that are not frozen.
func (ps Params) Trainable() Params {
	var t Params
	for _, p := range ps {
		if !p.Frozen {
			t = append(t, p)
		}
	}
	return t
}

// Count is the number of numbers in all parameters.
func (ps Params) Count() int {
	n := 0
	for _, p := range ps {
		n += tensor.Shape(p.Shape).TotalSize()
	}
	return n
}

// ByName finds a parameter, or nil.
func (ps Params) ByName(name string) *Param {
	for _, p := range ps {
		if p.Name == name {
			return p
		}
	}
	return nil
}
