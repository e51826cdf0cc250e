// Tensor-core products and asynchronous copies, as the instructions of sm_80.
#pragma once
#include "device.cuh"

// shared_address is where a pointer to shared memory points within it.
DEVICE u32 shared_address(const void *p) { return (u32)(u64)(__attribute__((address_space(3))) const char *)p; }

// load_shared is the number at a shared address.
DEVICE float load_shared(u32 at) {
  float v;
  asm volatile("ld.shared.f32 %0, [%1];" : "=f"(v) : "r"(at) : "memory");
  return v;
}

// copy_async starts copying 4 or 16 bytes to shared memory, of which the first n come from src and the rest are zero.
DEVICE void copy_async16(u32 dst, const void *src, int n) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(dst), "l"(src), "r"(n) : "memory");
}
DEVICE void copy_async4(u32 dst, const float *src, int n) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(dst), "l"(src), "r"(n) : "memory");
}
DEVICE void copy_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// copy_wait waits until at most N of the committed groups are under way.
template <int N> DEVICE void copy_wait() { asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory"); }

// load_matrices takes four 8×8 matrices of 16-bit numbers, or 8×4 of 32 bits, to fragments: lane 8m+i gives the shared address of row i of
// matrix m, on 16 bytes, and lane l receives the 32 bits that lie at place l%4 of row l/4 of each. load_transposed does so with the
// matrices of 16-bit numbers transposed.
DEVICE void load_matrices(u32 (&r)[4], u32 at) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at) : "memory");
}
DEVICE void load_transposed(u32 (&r)[4], u32 at) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(at)
               : "memory");
}

// mma_bf16 is d += a·b for 16×16 times 16×8.
DEVICE void mma_bf16(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// mma_tf32 is d += a·b for 16×8 times 8×8.
DEVICE void mma_tf32(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// parts_of is a number in two parts: rounded to the 10 bits of mantissa that tensor cores take, and what that leaves out, of which they take as many. It is
// what tf32 does in half of its instructions; a NaN is one in the second part.
DEVICE void parts_of(u32 &hi, u32 &lo, float x) {
  hi = (__builtin_bit_cast(u32, x) + 0x1000u) & 0xffffe000u;
  lo = __builtin_bit_cast(u32, x - __builtin_bit_cast(float, hi));
}

// mma_tf32x3 is d += a·b for operands in two parts, of which rest and less are what a and b leave out. Tensor cores cut off what their sums have no room
// for, so a long one would come out too small: only these products are added there, and to d by ordinary arithmetic, which rounds.
DEVICE void mma_tf32x3(float (&d)[4], const u32 (&a)[4], const u32 (&rest)[4], const u32 (&b)[2], const u32 (&less)[2]) {
  float sum[4] = {};
  mma_tf32(sum, rest, b);
  mma_tf32(sum, a, less);
  mma_tf32(sum, a, b);
#pragma unroll
  for (int i = 0; i < 4; i++) d[i] += sum[i];
}

// pack_bf16 rounds two numbers to bfloat16, the first in the low half.
DEVICE u32 pack_bf16(float lo, float hi) {
  u32 r;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(hi), "f"(lo));
  return r;
}

// Pair and Quad are numbers that lie together on 8 and 16 bytes, Words two words on 8.
struct __attribute__((aligned(8))) Pair {
  float a, b;
};
struct __attribute__((aligned(16))) Quad {
  float x[4];
};
struct __attribute__((aligned(8))) Words {
  u32 a, b;
};

// tf32 rounds to the 10 bits of mantissa that tensor cores take.
DEVICE u32 tf32(float x) {
  u32 r;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(x));
  return r;
}
