//go:build amd64 && !noasm

#include "textflag.h"

// The constants of the vector kernels, each eight times, so that a 256-bit instruction can take one from
// memory; 512-bit kernels broadcast what they need to registers. exp_const_amd64.h names their places.
//
// E, P and R are minimax polynomials fitted for this project (Remez's exchange, in float64):
//
//	E  (e^r - 1 - r)/r^2 for |r| <= ln 2/2, relative error of e^r 3.1e-9
//	P  (2^r - 1)/r for |r| <= 1/2, relative error of 2^r 2.0e-9
//	R  erfc(t/sqrt 2)/2 * exp(t^2/2) / u in u = 1/(1 + 0.3t) for 0 <= t <= 14.5, relative error 3.5e-9

#define EIGHT(at, v) \
	DATA ·vecTable+(at+0)(SB)/8, $v \
	DATA ·vecTable+(at+8)(SB)/8, $v \
	DATA ·vecTable+(at+16)(SB)/8, $v \
	DATA ·vecTable+(at+24)(SB)/8, $v

EIGHT(0, 0x3f8000003f800000) // One: 1
EIGHT(32, 0x4000000040000000) // Two: 2
EIGHT(64, 0xbf000000bf000000) // NegHalf: -0.5
EIGHT(96, 0x7fffffff7fffffff) // Abs: all but the sign bit
EIGHT(128, 0x8000000080000000) // Sign: the sign bit
EIGHT(160, 0xff800000ff800000) // NegInf: -Inf
EIGHT(192, 0x42b2000042b20000) // ExpMax: 89
EIGHT(224, 0xc2d00000c2d00000) // ExpMin: -104
EIGHT(256, 0x3fb8aa3b3fb8aa3b) // Log2E: 1.44269504
EIGHT(288, 0x3f3172183f317218) // Ln2Hi: 0.693147182
EIGHT(320, 0xb102e308b102e308) // Ln2Lo: -1.90465432e-09
EIGHT(352, 0x3efffffe3efffffe) // E0: 0.499999934
EIGHT(384, 0x3e2aaa493e2aaa49) // E1: 0.166665204
EIGHT(416, 0x3d2aac793d2aac79) // E2: 0.0416683908
EIGHT(448, 0x3c091d103c091d10) // E3: 0.00836874511
EIGHT(480, 0x3ab511e83ab511e8) // E4: 0.00138145401
EIGHT(512, 0x4148000041480000) // GeluMax: 12.5
EIGHT(544, 0xc3170000c3170000) // Exp2Min: -151
EIGHT(576, 0x3f3172183f317218) // P1: 0.693147203
EIGHT(608, 0x3e75fdee3e75fdee) // P2: 0.240226479
EIGHT(640, 0x3d6357733d635773) // P3: 0.0555033216
EIGHT(672, 0x3c1d96a83c1d96a8) // P4: 0.0096184386
EIGHT(704, 0x3aaf9f983aaf9f98) // P5: 0.00133990034
EIGHT(736, 0x3920fd973920fd97) // P6: 0.00015353258
EIGHT(768, 0xc0135761c0135761) // GeluA: -2.3022082
EIGHT(800, 0xbdd2d3e8bdd2d3e8) // GeluB: -0.10294324
EIGHT(832, 0xc1480000c1480000) // GeluMin: -12.5
EIGHT(864, 0x3fcc422a3fcc422a) // GeluSlopeA: 1.59576912
EIGHT(896, 0x3e5b33b63e5b33b6) // GeluSlopeB: 0.214064449
EIGHT(928, 0x4120000041200000) // GeluBound: 10
EIGHT(960, 0xc1200000c1200000) // GeluNegBound: -10
EIGHT(992, 0xc01d265fc01d265f) // QuickA: -2.45546696
EIGHT(1024, 0xc2800000c2800000) // QuickMin: -64
EIGHT(1056, 0x3fd9db233fd9db23) // QuickSlope: 1.702
EIGHT(1088, 0x424c0000424c0000) // QuickBound: 51
EIGHT(1120, 0xc24c0000c24c0000) // QuickNegBound: -51
EIGHT(1152, 0x4168000041680000) // ErfBound: 14.5
EIGHT(1184, 0x3e99999a3e99999a) // ErfP: 0.3
EIGHT(1216, 0x3df51e4c3df51e4c) // R0: 0.119686695
EIGHT(1248, 0x3df4e2123df4e212) // R1: 0.119571819
EIGHT(1280, 0x3de1c31c3de1c31c) // R2: 0.110235422
EIGHT(1312, 0x3da08ac53da08ac5) // R3: 0.0783896815
EIGHT(1344, 0x3dc4edd23dc4edd2) // R4: 0.0961567345
EIGHT(1376, 0xbda2a8b0bda2a8b0) // R5: -0.0794233085
EIGHT(1408, 0x3e44631a3e44631a) // R6: 0.191784297
EIGHT(1440, 0xbe69b0c9be69b0c9) // R7: -0.228213439
EIGHT(1472, 0x3de6449d3de6449d) // R8: 0.112435558
EIGHT(1504, 0xbca8f288bca8f288) // R9: -0.0206234612
EIGHT(1536, 0x3ecc422a3ecc422a) // InvSqrt2Pi: 0.39894228
EIGHT(1568, 0x4230000042300000) // TanhBound: 44
EIGHT(1600, 0x7feb352d7feb352d) // Mix1: the factors of dropoutHash
EIGHT(1632, 0x846ca68b846ca68b) // Mix2
GLOBL ·vecTable(SB), RODATA|NOPTR, $1664

// vecMask: eight words of ones, then eight of zeros. A load at 32-4r sets the first r lanes of a mask.
DATA ·vecMask+0(SB)/8, $0xffffffffffffffff
DATA ·vecMask+8(SB)/8, $0xffffffffffffffff
DATA ·vecMask+16(SB)/8, $0xffffffffffffffff
DATA ·vecMask+24(SB)/8, $0xffffffffffffffff
DATA ·vecMask+32(SB)/8, $0
DATA ·vecMask+40(SB)/8, $0
DATA ·vecMask+48(SB)/8, $0
DATA ·vecMask+56(SB)/8, $0
GLOBL ·vecMask(SB), RODATA|NOPTR, $64

// vecIota: 0 to 15.
DATA ·vecIota+0(SB)/8, $0x0000000100000000
DATA ·vecIota+8(SB)/8, $0x0000000300000002
DATA ·vecIota+16(SB)/8, $0x0000000500000004
DATA ·vecIota+24(SB)/8, $0x0000000700000006
DATA ·vecIota+32(SB)/8, $0x0000000900000008
DATA ·vecIota+40(SB)/8, $0x0000000b0000000a
DATA ·vecIota+48(SB)/8, $0x0000000d0000000c
DATA ·vecIota+56(SB)/8, $0x0000000f0000000e
GLOBL ·vecIota(SB), RODATA|NOPTR, $64
