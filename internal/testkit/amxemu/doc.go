// Package amxemu lets tests run code with AMX tile instructions on a processor that has none.
//
// Such a processor answers them with the signal SIGILL. Install puts a handler before Go's that
// carries the instruction out on tiles in memory and goes on behind it, so what is tested is the
// assembly itself, byte for byte. A thread has its own tiles, as on the real thing. What the manual
// forbids (tiles without a shape, shapes that do not fit) is not carried out and ends the program.
//
// Emulated are LDTILECFG, TILERELEASE, TILEZERO, TILELOADD, TILELOADDT1, TILESTORED and TDPBF16PS, as
// volume 2 of Intel's Software Developer's Manual defines them. Timing says nothing: each
// instruction takes about a microsecond.
package amxemu
