// Package nn holds the operations of neural networks as nodes of Gorgonia graphs, and
// what runs them.
//
// A model is built as a gorgonia.ExprGraph out of the functions of this package (Linear,
// LayerNorm, Attention, …). Each makes a node whose Op also knows its gradient, so that
// Backward, or gorgonia.Grad, differentiates the graph symbolically. A Machine (a
// gorgonia.VM) runs it: it plans every buffer once, runs only what the requested outputs
// need and allocates nothing in a steady state. The same graphs run on Gorgonia's
// TapeMachine.
//
// # Packed rows
//
// There is no padding. The sequences of a batch lie end to end in one [rows, dim] matrix,
// with a vector of sequence starts beside it. A graph is built for a row capacity; each run
// says how many rows are live by the length of the data given to Set, and every operation
// computes the live rows only.
//
// # Backends
//
// Operations ask a Backend for their arithmetic and never see memory. NewCPU is the
// product's backend; NewReference computes the same in plain float64 loops, which is
// what gradients and kernels are tested against.
//
// # Contract of an operation
//
// Every operation has a graph form with shapes checked when the graph is built (a wrong
// shape is a caller's bug and panics, naming the operation and the shapes), a gradient if
// it has inputs worth one, and a plain form in the reference backend.
package nn
