package nn

// gorgonia.org/tensor refuses to start on a Go release that this module does not know; the newest
// version, which knows all of them, is a direct requirement because of this import.
import _ "go4.org/unsafe/assume-no-moving-gc"
