/* A stand-in for libcublasLt that computes on the host and is strict about what it is given: the functions, numbers and structures are
   those of cuBLASLt's documentation. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct { uint64_t data[8]; } algo_t;
typedef struct { algo_t algo; size_t workspace; int state; float waves; int reserved[4]; } found_t;
typedef struct { int magic, compute, scale, ta, tb, epilogue; const void *bias; } desc_t;
typedef struct { int magic, type; uint64_t rows, cols; int64_t ld; } layout_t;
typedef struct { int magic; uint64_t workspace; uint32_t align[4]; } pref_t;
enum { DESC = 0xde5c, LAYOUT = 0x1a0, PREF = 0x94ef, BAD = 7 };
static int living;

size_t cublasLtGetVersion(void) { return 130100; }
int cublasLtCreate(void **h) { *h = malloc(1); living++; return 0; }
int cublasLtDestroy(void *h) { free(h); living--; return 0; }
int living_things(void) { return living; }

int cublasLtMatmulDescCreate(desc_t **d, int compute, int scale) {
	if ((compute != 68 && compute != 77) || scale != 0) return BAD;
	*d = calloc(1, sizeof **d); (*d)->magic = DESC; (*d)->compute = compute; (*d)->epilogue = 1; living++;
	return 0;
}
int cublasLtMatmulDescSetAttribute(desc_t *d, int attr, const void *buf, size_t n) {
	if (d->magic != DESC) return BAD;
	if (attr == 8) { if (n != 8) return BAD; memcpy(&d->bias, buf, 8); return 0; }
	if (n != 4) return BAD;
	int v; memcpy(&v, buf, 4);
	if (attr == 3) d->ta = v; else if (attr == 4) d->tb = v; else if (attr == 7 && (v == 1 || v == 4)) d->epilogue = v; else return BAD;
	return 0;
}
int cublasLtMatmulDescDestroy(desc_t *d) { if (d->magic != DESC) return BAD; d->magic = 0; free(d); living--; return 0; }
int cublasLtMatrixLayoutCreate(layout_t **l, int type, uint64_t rows, uint64_t cols, int64_t ld) {
	if ((type != 0 && type != 14) || ld < (int64_t)rows || rows < 1 || cols < 1) return BAD;
	*l = calloc(1, sizeof **l); (*l)->magic = LAYOUT; (*l)->type = type; (*l)->rows = rows; (*l)->cols = cols; (*l)->ld = ld; living++;
	return 0;
}
int cublasLtMatrixLayoutDestroy(layout_t *l) { if (l->magic != LAYOUT) return BAD; l->magic = 0; free(l); living--; return 0; }
int cublasLtMatmulPreferenceCreate(pref_t **p) { *p = calloc(1, sizeof **p); (*p)->magic = PREF; living++; return 0; }
int cublasLtMatmulPreferenceSetAttribute(pref_t *p, int attr, const void *buf, size_t n) {
	if (p->magic != PREF) return BAD;
	if (attr == 1 && n == 8) { memcpy(&p->workspace, buf, 8); return 0; }
	if (attr >= 5 && attr <= 8 && n == 4) { memcpy(&p->align[attr - 5], buf, 4); return 0; }
	return BAD;
}
int cublasLtMatmulPreferenceDestroy(pref_t *p) { if (p->magic != PREF) return BAD; p->magic = 0; free(p); living--; return 0; }

static int fits(desc_t *d, layout_t *a, layout_t *b, layout_t *c, layout_t *o, uint64_t *k) {
	if (d->magic != DESC || a->magic != LAYOUT || b->magic != LAYOUT || c->magic != LAYOUT || o->magic != LAYOUT) return 0;
	uint64_t m = d->ta ? a->cols : a->rows, ka = d->ta ? a->rows : a->cols, kb = d->tb ? b->cols : b->rows, n = d->tb ? b->rows : b->cols;
	*k = ka;
	return ka == kb && m == o->rows && n == o->cols && m == c->rows && n == c->cols && a->type == b->type && c->type == o->type && (o->type == 0 || a->type == 14);
}
int cublasLtMatmulAlgoGetHeuristic(void *h, desc_t *d, layout_t *a, layout_t *b, layout_t *c, layout_t *o, pref_t *p, int want, found_t *found, int *count) {
	uint64_t k;
	if (!h || p->magic != PREF || p->workspace != 32 << 20 || want != 1 || !fits(d, a, b, c, o, &k)) return BAD;
	for (int i = 0; i < 4; i++) if (p->align[i] < 2 || p->align[i] > 256 || p->align[i] & (p->align[i] - 1)) return BAD;
	*count = k > 4000 ? 0 : 1;
	memset(found, 0, sizeof *found);
	for (int i = 0; i < 4; i++) found->algo.data[i] = p->align[i];
	found->algo.data[4] = 0xa190;
	return 0;
}
/* store rounds to the nearest, to even, as the device does. */
static void store(void *x, layout_t *l, uint64_t e, float v) {
	uint32_t bits; memcpy(&bits, &v, 4);
	if (l->type == 0) ((float *)x)[e] = v;
	else ((uint16_t *)x)[e] = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
static float at(const void *x, layout_t *l, uint64_t i, uint64_t j) {
	uint64_t e = i + j * l->ld;
	if (l->type == 0) return ((const float *)x)[e];
	uint32_t bits = (uint32_t)((const uint16_t *)x)[e] << 16;
	float f; memcpy(&f, &bits, 4);
	return f;
}
int cublasLtMatmul(void *h, desc_t *d, const float *alpha, const void *A, layout_t *a, const void *B, layout_t *b, const float *beta, const void *C, layout_t *c, void *D,
                   layout_t *o, const algo_t *algo, void *workspace, size_t bytes, void *stream) {
	uint64_t k;
	const void *ptrs[] = {A, B, C, D};
	if (!h || !fits(d, a, b, c, o, &k) || algo->data[4] != 0xa190 || !workspace || bytes != 32 << 20 || !stream) return BAD;
	for (int i = 0; i < 4; i++) if ((uintptr_t)ptrs[i] % algo->data[i]) return BAD;
	for (uint64_t j = 0; j < o->cols; j++)
		for (uint64_t i = 0; i < o->rows; i++) {
			double s = 0;
			for (uint64_t l = 0; l < k; l++) s += (double)(d->ta ? at(A, a, l, i) : at(A, a, i, l)) * (d->tb ? at(B, b, j, l) : at(B, b, l, j));
			s *= *alpha;
			if (*beta != 0) s += *beta * at(C, c, i, j);
			if (d->epilogue == 4) s += at(d->bias, o, i, 0); /* of the type of the result */
			store(D, o, i + j * o->ld, (float)s);
		}
	return 0;
}
