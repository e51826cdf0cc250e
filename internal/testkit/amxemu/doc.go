// Package amxemu lets tests run code with instructions of AMX and of AVX512-BF16 on a processor that has none.
//
// Such a processor answers them with the signal SIGILL. Install puts a handler before Go's that
// carries the instruction out on tiles in memory and goes on behind it, so what is tested is the
// assembly itself, byte for byte. A thread has its own tiles, as on the real thing. What the manual
// forbids (tiles without a shape, shapes that do not fit) is not carried out and ends the program.
//
// Emulated are LDTILECFG, TILERELEASE, TILEZERO, TILELOADD, TILELOADDT1, TILESTORED and TDPBF16PS, as
// volume 2 of Intel's Software Developer's Manual defines them, and where AVX512-BF16 is missing VDPBF16PS,
// VCVTNEPS2BF16 and VCVTNE2PS2BF16 of whole registers. Timing says nothing: each
// instruction takes about a microsecond.
package amxemu
