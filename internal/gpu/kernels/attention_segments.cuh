// Which rows meet which. The rows of a block belong to neighbouring sequences, whose rows of the other side lie end to end too, so a block
// goes over few stretches: one of its rows' own sequences, and one for each parent, or for the children of one.
#pragma once
#include "attention_mma.cuh"

// Seen is what a lane's two rows, 8 apart, see of the stretch [from, to): [lo, hi), and what makes a row's number its position among all that a
// query sees; [least, most) is what any row of the warp sees.
struct Seen {
  int from, to, lo[2], hi[2], base[2], least, most;
};

// Walk goes over the stretches of a block with the rows [first, first+ROWS) of n; mine are their sequences' starts, theirs the other side's.
struct Walk {
  const int *mine, *theirs;
  int s0, s1, next;
  int row[2], s[2]; // a lane's rows and their sequences, -1 for no row
  bool own;
};

DEVICE Walk walk(const Packed &p, const int *mine, const int *theirs, int first, int rows) {
  Walk w = {mine, theirs};
  w.s0 = sequence_of(mine, p.n, first);
  w.s1 = sequence_of(mine, p.n, imin(first + ROWS, rows) - 1);
#pragma unroll
  for (int i = 0; i < 2; i++) {
    w.row[i] = first + 16 * warp() + (lane() >> 2) + 8 * i;
    w.s[i] = w.row[i] < rows ? sequence_of(mine, p.n, w.row[i]) : -1;
  }
  w.next = p.parent ? 0 : p.n;
  w.own = false;
  return w;
}

DEVICE void reach(Seen &x) {
  int least = x.to, most = -x.from; // the greatest end as the least of its negative
#pragma unroll
  for (int i = 0; i < 2; i++)
    if (x.lo[i] < x.hi[i]) {
      least = imin(least, x.lo[i]);
      most = imin(most, -x.hi[i]);
    }
  x.least = warp_min(least);
  x.most = -warp_min(most);
}

// own_stretch is that of the rows' own sequences, the last of all. causal: of equal numbers on both sides a key is seen by no query before it;
// keys: the lane's rows are the keys.
DEVICE bool own_stretch(Walk &w, Seen &x, const Packed &p, int causal, bool keys) {
  if (w.own) return false;
  w.own = true;
  x.from = w.theirs[w.s0];
  x.to = w.theirs[w.s1 + 1];
#pragma unroll
  for (int i = 0; i < 2; i++) {
    int s = w.s[i];
    if (s < 0) {
      x.lo[i] = x.hi[i] = x.base[i] = 0;
      continue;
    }
    x.lo[i] = w.theirs[s];
    x.hi[i] = w.theirs[s + 1];
    if (causal && keys) x.lo[i] = imax(x.lo[i], w.row[i]);
    if (causal && !keys) x.hi[i] = imin(x.hi[i], w.row[i] + 1);
    int parent = p.parent ? p.parent[s] : -1;
    x.base[i] = (parent < 0 ? 0 : p.ks[parent + 1] - p.ks[parent]) - p.ks[s];
  }
  reach(x);
  return true;
}

// next_for_queries goes to the next stretch of keys: parents of the rows' sequences, then these themselves.
DEVICE bool next_for_queries(Walk &w, Seen &x, const Packed &p, int causal) {
  w.next = imax(w.next, w.s0);
  while (p.parent && w.next <= w.s1) {
    int parent = p.parent[w.next], a = w.next;
    do w.next++;
    while (w.next <= w.s1 && p.parent[w.next] == parent);
    if (parent < 0) continue;
    x.from = p.ks[parent];
    x.to = p.ks[parent + 1];
#pragma unroll
    for (int i = 0; i < 2; i++) {
      bool in = w.s[i] >= a && w.s[i] < w.next;
      x.lo[i] = in ? x.from : 0;
      x.hi[i] = in ? x.to : 0;
      x.base[i] = -x.from;
    }
    reach(x);
    return true;
  }
  return own_stretch(w, x, p, causal, false);
}

// next_for_keys goes to the next stretch of queries: those of children of the rows' sequences, then of these themselves. A warp looks at 32
// sequences at a time.
DEVICE bool next_for_keys(Walk &w, Seen &x, const Packed &p, int causal) {
  while (w.next < p.n) {
    int u = w.next + lane(), parent = u < p.n ? p.parent[u] : -1, a = warp_min(parent >= w.s0 && parent <= w.s1 ? u : p.n);
    w.next = a < p.n ? a : w.next + 32;
    if (a >= p.n) continue;
    parent = p.parent[a];
    do w.next++;
    while (w.next < p.n && p.parent[w.next] == parent);
    x.from = p.qs[a];
    x.to = p.qs[w.next];
#pragma unroll
    for (int i = 0; i < 2; i++) {
      bool in = w.s[i] == parent;
      x.lo[i] = in ? x.from : 0;
      x.hi[i] = in ? x.to : 0;
      x.base[i] = -p.ks[parent];
    }
    reach(x);
    return true;
  }
  return own_stretch(w, x, p, causal, true);
}
