// The Go assembler has no conversions to bfloat16, so they are spelled as bytes. They round to nearest even and take
// subnormals as zero, as the products do.

// VCVTNE2PS2BF16 (EVEX.512.F2.0F38.W0 72 /r): the words of Zlo, then those of Zhi, to Zd.
#define NARROW(d, hi, lo) \
	BYTE $0x62; \
	BYTE $(0xf2 ^ (((d>>3)&1)<<7) ^ (((lo>>4)&1)<<6) ^ (((lo>>3)&1)<<5) ^ (((d>>4)&1)<<4)); \
	BYTE $(0x7f ^ ((hi&15)<<3)); \
	BYTE $(0x48 ^ (((hi>>4)&1)<<3)); \
	BYTE $0x72; \
	BYTE $(0xc0 | ((d&7)<<3) | (lo&7))

// VCVTNEPS2BF16 (EVEX.512.F3.0F38.W0 72 /r): the words of Zs to Yd.
#define NARROW1(d, s) \
	BYTE $0x62; \
	BYTE $(0xf2 ^ (((d>>3)&1)<<7) ^ (((s>>4)&1)<<6) ^ (((s>>3)&1)<<5) ^ (((d>>4)&1)<<4)); \
	BYTE $0x7e; \
	BYTE $0x48; \
	BYTE $0x72; \
	BYTE $(0xc0 | ((d&7)<<3) | (s&7))
