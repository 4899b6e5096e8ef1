// 2:4 soft-thresholded weights.
#include "sparse_kernels.h"

#include "clones.h"

static inline __attribute__((always_inline)) float smaller(float a, float b) {
  return a < b ? a : b;
}
static inline __attribute__((always_inline)) float larger(float a, float b) {
  return a > b ? a : b;
}

// The second smallest of four magnitudes: the larger of the two pair minima, or the smaller of the
// two pair maxima.
static inline __attribute__((always_inline)) float threshold_of(float a, float b, float c,
                                                                float d) {
  return smaller(larger(smaller(a, b), smaller(c, d)), smaller(larger(a, b), larger(c, d)));
}

// What is left of a weight; +0 when nothing is.
static inline __attribute__((always_inline)) float shrunk(float w, float threshold) {
  const float rest = __builtin_fabsf(w) - threshold;
  return rest > 0.0f ? __builtin_copysignf(rest, w) : 0.0f;
}

KRAIT_CLONES void krait_soft_threshold(const float *weights, float *output, ptrdiff_t n,
                                       float scale) {
  for (ptrdiff_t i = 0; i + 4 <= n; i += 4) {
    const float w0 = weights[i], w1 = weights[i + 1], w2 = weights[i + 2], w3 = weights[i + 3];
    const float t = threshold_of(__builtin_fabsf(w0), __builtin_fabsf(w1), __builtin_fabsf(w2),
                                 __builtin_fabsf(w3));
    output[i] = scale * shrunk(w0, t);
    output[i + 1] = scale * shrunk(w1, t);
    output[i + 2] = scale * shrunk(w2, t);
    output[i + 3] = scale * shrunk(w3, t);
  }
}

KRAIT_CLONES void krait_soft_threshold_moments(const float *weights, ptrdiff_t n,
                                               double *moments) {
  double products[4] = {0}, squares[4] = {0};
  for (ptrdiff_t i = 0; i + 4 <= n; i += 4) {
    const float *w = weights + i;
    const float t = threshold_of(__builtin_fabsf(w[0]), __builtin_fabsf(w[1]),
                                 __builtin_fabsf(w[2]), __builtin_fabsf(w[3]));
    for (int j = 0; j < 4; j++) {
      const double rest = shrunk(w[j], t);
      products[j] += (double)w[j] * rest;
      squares[j] += rest * rest;
    }
  }
  for (int j = 0; j < 4; j++) {
    moments[0] += products[j];
    moments[1] += squares[j];
  }
}
