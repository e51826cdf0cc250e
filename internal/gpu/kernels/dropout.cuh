// The counter-based generator of dropout, the same as the CPU's: whether an element stays is a function of a key
// and the element's number.
#pragma once
#include "device.cuh"

DEVICE u64 split_mix(u64 z) {
  z += 0x9e3779b97f4a7c15ull;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return z ^ z >> 31;
}

// dropout_key is the key of one run of one place; state holds seed and step, low word first.
DEVICE u64 dropout_key(const u32 *state, u32 site) {
  u64 seed = (u64)state[0] | (u64)state[1] << 32, step = (u64)state[2] | (u64)state[3] << 32;
  return split_mix(split_mix(split_mix(seed) ^ step) ^ (u64)site);
}

// dropout_keep tells whether element i stays; limit is p·2³².
DEVICE bool dropout_keep(u64 key, u64 i, u32 limit) {
  u32 high = (u32)(i >> 32);
  if (high) key = split_mix(key ^ (u64)high);
  u32 x = (u32)i ^ (u32)key;
  x = (x ^ x >> 16) * 0x7feb352du;
  x += (u32)(key >> 32);
  x = (x ^ x >> 15) * 0x846ca68bu;
  return (x ^ x >> 16) >= limit;
}

// attention_element numbers an attention weight.
DEVICE u64 attention_element(int head, int query, int position) {
  return (u64)head << 48 | (u64)query << 16 | (u64)position;
}
