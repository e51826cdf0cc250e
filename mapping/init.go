package mapping

// Init gives the mapper the random weights of PyTorch's nn.Linear. They depend on the weights' names, which nn.Collect gives first.
func (m *MLP) Init(seed uint64) {
	m.Hidden.Init(seed)
	m.Out.Init(seed)
}

// Init gives the mapper the random weights of PyTorch's nn.Linear, as MLP's does.
func (l *Linear) Init(seed uint64) { l.Layer.Init(seed) }

// Init gives the mapper the random weights of PyTorch's nn.Linear, and the prefix rows normal ones of
// deviation 1, as the original. They depend on the weights' names, which nn.Collect gives first.
func (t *Transformer) Init(seed uint64) {
	t.Split.Init(seed)
	t.Prefix.Normal(seed, 1)
	for i := range t.Layers {
		l := &t.Layers[i]
		l.Norm1.Init()
		l.Norm2.Init()
		l.Attn.Queries.Init(seed)
		l.Attn.KeysValues.Init(seed)
		l.Attn.Proj.Init(seed)
		l.Up.Init(seed)
		l.Down.Init(seed)
	}
}
