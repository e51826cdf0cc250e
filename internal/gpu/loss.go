package gpu

// CrossEntropy are the arguments of the language-model head and its loss, computed over pieces of the vocabulary.
type CrossEntropy struct {
	X       Matrix // [rows, dim]
	Embed   Matrix // [vocabulary, dim]
	Targets Ptr    // int32 [rows], negative: ignored
	Loss    Matrix // [1]: mean over the targets that count
	LSE     Matrix // [rows], optional going forward
	DX      Matrix // [rows, dim], optional
	DLoss   Matrix // [1], gradient only
	DEmbed  Matrix // [vocabulary, dim], gradient only, optional
	Mode    Mode
	// Part is how many words are worked on at a time; 0: as many as a quarter of a gigabyte of logits holds.
	Part int
}

const logitsMost = 1 << 26 // of one piece

// part is the size of pieces: whole tiles of the product.
func (a *CrossEntropy) part() int {
	if a.Part > 0 {
		return min(a.Part, a.Embed.Rows)
	}
	return min(max(2048, logitsMost/max(1, a.X.Rows)/128*128), a.Embed.Rows)
}

// lossRoom is the memory a loss needs besides its arguments.
type lossRoom struct{ top, sum, picked, perRow, count, logits Ptr }

func (d *Device) lossRoom(rows, part int) (r lossRoom, err error) {
	v, err := d.temporary("loss", 4*(4*rows+1))
	if err != nil {
		return r, err
	}
	at := func(i int) Ptr { return v + Ptr(4*i*rows) }
	r = lossRoom{top: at(0), sum: at(1), picked: at(2), perRow: at(3), count: at(4)}
	r.logits, err = d.temporary("logits", 4*rows*padded(part))
	return r, err
}

// padded is how far apart rows of n logits lie: on 32 bytes, whatever the vocabulary, so that products read them in whole pieces.
func padded(n int) int { return up(n, 8) * 8 }

// piece is where the logits of n words are.
func (r *lossRoom) piece(rows, n int) Matrix {
	return Matrix{Ptr: r.logits, Rows: rows, Cols: n, Stride: padded(n)}
}

// CrossEntropy goes once over the vocabulary: for each piece it computes the logits, takes the running softmax further,
// and adds the piece's probabilities times its embeddings to dx.
func (d *Device) CrossEntropy(a *CrossEntropy) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	rows, dim := a.X.Rows, a.X.Cols
	part := a.part()
	room, err := d.lossRoom(max(1, rows), part)
	if err != nil {
		return err
	}
	d.run("count_targets", line(1), line(256), 0, room.count, a.Targets, rows)
	if rows > 0 {
		d.run("softmax_start", line(up(rows, 256)), line(256), 0, room.top, room.sum, room.picked, rows)
		for first := 0; first < a.Embed.Rows; first += part {
			n := min(part, a.Embed.Rows-first)
			logits, embed := room.piece(rows, n), a.Embed.rows(first, n)
			d.gemm(logits, a.X, false, embed, true, a.Mode, Epilogue{})
			d.run("softmax_chunk", line(rows), line(256), 0,
				logits.Ptr, logits.Stride, n, room.top, room.sum, room.picked, a.Targets, first, a.DX.Ptr, a.DX.Stride, dim)
			if !a.DX.None() {
				e := Epilogue{}
				if first > 0 {
					e.Residual = a.DX
				}
				d.gemm(a.DX, logits, false, embed, false, a.Mode, e)
			}
		}
		d.run("loss_rows", line(rows), line(256), 0, room.perRow, a.LSE.Ptr, room.top, room.sum, room.picked, a.Targets, room.count,
			a.DX.Ptr, a.DX.Stride, a.Embed.Ptr, a.Embed.Half, a.Embed.Int8, a.Embed.Scales, a.Embed.Stride, dim)
	}
	d.run("loss_mean", line(1), line(256), 0, a.Loss.Ptr, room.perRow, room.count, rows)
	return nil
}

// CrossEntropyGrad computes each piece's logits again, and from them the gradients of x and of the embeddings.
func (d *Device) CrossEntropyGrad(a *CrossEntropy) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := a.X.Rows
	part := a.part()
	room, err := d.lossRoom(max(1, rows), part)
	if err != nil {
		return err
	}
	d.run("count_targets", line(1), line(256), 0, room.count, a.Targets, rows)
	for first := 0; first < a.Embed.Rows; first += part {
		n := min(part, a.Embed.Rows-first)
		logits, embed := room.piece(rows, n), a.Embed.rows(first, n)
		if rows > 0 {
			d.gemm(logits, a.X, false, embed, true, a.Mode, Epilogue{})
			d.run("cross_entropy_grad", line(rows), line(256), 0, logits.Ptr, logits.Stride, n, a.LSE.Ptr, a.Targets, first, a.DLoss.Ptr, room.count)
			if !a.DX.None() {
				e := Epilogue{}
				if first > 0 {
					e.Residual = a.DX
				}
				d.gemm(a.DX, logits, false, embed, false, a.Mode, e)
			}
		}
		if !a.DEmbed.None() {
			d.gemm(a.DEmbed.rows(first, n), logits, true, a.X, false, a.Mode, Epilogue{})
		}
	}
	return nil
}

// Top writes, for each row of x, the k greatest of scale·x·embedᵀ, their places, and log Σ exp of all: out [rows, 2k+1].
func (d *Device) Top(out, x, embed Matrix, k int, scale float32, mode Mode) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	vocab := embed.Rows
	step := min(max(1, logitsMost/vocab), x.Rows)
	logits, err := d.temporary("logits", 4*max(1, step)*vocab)
	if err != nil {
		return err
	}
	for i := 0; i < x.Rows; i += step {
		n := min(step, x.Rows-i)
		l := dense(logits, n, vocab)
		d.gemm(l, x.rows(i, n), false, embed, true, mode, Epilogue{})
		d.run("top_rows", line(n), line(256), 0, out.rows(i, n).Ptr, out.Stride, l.Ptr, vocab, k, scale)
	}
	return nil
}
