package weights

// TokenCache tells whether a file is the cache of tokens that the original's training leaves beside its features (…_tokens.pkl): a
// list of the captions' tokens, one tensor each, the list of their rows, and the longest length. Nothing needs it, for captions
// are turned into tokens afresh; it is recognised so that it is not taken for features.
func TokenCache(s *Store) bool {
	top, ok := s.Object.(*List)
	if !ok || len(top.Items) != 3 {
		return false
	}
	tokens, ok1 := top.Items[0].(*List)
	rows, ok2 := top.Items[1].(*List)
	_, ok3 := top.Items[2].(int64)
	if !ok1 || !ok2 || !ok3 || len(tokens.Items) != len(rows.Items) {
		return false
	}
	for _, v := range tokens.Items {
		if t, ok := v.(*Tensor); !ok || t.DType != I64 || len(t.Shape) != 1 {
			return false
		}
	}
	return true
}
