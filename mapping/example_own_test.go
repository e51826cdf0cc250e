package mapping_test

import (
	"fmt"
	"log"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
)

// shifted is a mapper that this package does not have: a linear layer, and a learned row that is added to every row of a prefix.
type shifted struct {
	Layer nn.Linear `weight:"layer"`
	Shift *nn.Param `weight:"shift"` // [1, dim]
	rows  int
}

// Forward maps features [images, feature] to prefixes [images·rows, dim].
func (m *shifted) Forward(features *G.Node) *G.Node {
	prefixes := nn.SplitRows(m.Layer.Forward(features), m.rows)
	return nn.AddToGroups(prefixes, m.Shift.Node(features.Graph()))
}

// Init gives the weights the numbers training starts from.
func (m *shifted) Init(seed uint64) {
	m.Layer.Init(seed)
	m.Shift.Normal(seed, 1)
}

// A mapper of one's own takes a struct of weights and two methods; train.NewModel takes it like any other.
func ExampleMapper() {
	var mapper mapping.Mapper = &shifted{Layer: nn.NewLinear(512, 10*768, true), Shift: nn.NewParam(1, 768), rows: 10}
	params, err := nn.Collect(mapping.Prefix, mapper) // which train.NewModel does
	if err != nil {
		log.Fatal(err)
	}
	mapper.Init(1)

	g := G.NewGraph()
	prefixes := mapper.Forward(nn.NewInput(g, "features", nn.Float, 40, 512))
	fmt.Println(prefixes.Shape())
	for _, p := range params {
		fmt.Println(p.Name, p.Shape)
	}
	// Output:
	// (400, 768)
	// clip_project.layer.weight [7680 512]
	// clip_project.layer.bias [7680]
	// clip_project.shift [1 768]
}
