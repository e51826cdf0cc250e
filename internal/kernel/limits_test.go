package kernel

import (
	"runtime"
	"testing"
)

// The streams compute what they say at every length, and stay inside their slices.
func TestStreams(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 15, 16, 33, 67, 129, streamPiece + 13} {
			const guard = 17
			whole := make([][]float32, 4)
			cut := make([][]float32, 4)
			for i := range whole {
				whole[i] = make([]float32, n+2*guard)
				for j := range whole[i] {
					whole[i][j] = float32(100*(i+1) + j%7)
				}
				cut[i] = whole[i][guard : guard+n : guard+n]
			}
			p, m, v, g := cut[0], cut[1], cut[2], cut[3]
			StreamRead(g)
			StreamUpdate(p, m, v, g)
			StreamMap(g, p)
			for i, w := range whole {
				for j, got := range w {
					own := func(i int) float32 { return float32(100*(i+1) + j%7) }
					want := own(i)
					if in := j >= guard && j < guard+n; in && i < 3 {
						want += own(3)
					} else if in {
						want = own(0) + own(3) + 1
					}
					if got != want {
						t.Fatalf("n=%d: stream %d, element %d is %g, want %g", n, i, j-guard, got, want)
					}
				}
			}
		}
	})
}

// The spinning loops end, and count what all the cores did.
func TestSpin(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		n := float64(runtime.GOMAXPROCS(0))
		for _, s := range []struct {
			name string
			got  func(int) float64
			unit float64
		}{
			{"multiply-add", SpinFMA, float64(fmaSpin().perRound)},
			{"bfloat16 pairs", SpinDot, float64(dotSpin().perRound)},
			{"bfloat16 tiles", SpinTiles, float64(tileSpin().perRound)},
		} {
			if got, want := s.got(1000), n*1000*s.unit; got != want {
				t.Errorf("%s: %g operations, want %g", s.name, got, want)
			}
			s.got(0)
		}
	})
}

func BenchmarkSpinFMA(b *testing.B) {
	for b.Loop() {
		SpinFMA(100_000)
	}
	b.ReportMetric(float64(runtime.GOMAXPROCS(0)*100_000*fmaSpin().perRound)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

func BenchmarkSpinDot(b *testing.B) {
	if dotSpin().do == nil {
		b.Skip("no AVX512-BF16 here")
	}
	for b.Loop() {
		SpinDot(100_000)
	}
	b.ReportMetric(float64(runtime.GOMAXPROCS(0)*100_000*dotSpin().perRound)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

func BenchmarkStreams(b *testing.B) {
	const n = 64 << 20
	p, m, v, g := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	StreamUpdate(p, m, v, g) // touches every page: untouched ones are all the same page of zeros
	clear(g)
	b.Run("read", func(b *testing.B) {
		b.SetBytes(4 * n)
		for b.Loop() {
			StreamRead(p)
		}
	})
	b.Run("map", func(b *testing.B) {
		b.SetBytes(8 * n)
		for b.Loop() {
			StreamMap(p, g)
		}
	})
	b.Run("update", func(b *testing.B) {
		b.SetBytes(28 * n)
		for b.Loop() {
			StreamUpdate(p, m, v, g)
		}
	})
}
