#include "elementwise.h"

#include <math.h>
#include <string.h>

#include "clones.h"
#include "exponential.h"
#include "square_root.h"

// Partial sums that a compiler may keep in vectors without changing the order we define.
enum { LANES = 32 };

static inline float fold(const float *lanes) {
  float sums[LANES];
  memcpy(sums, lanes, sizeof sums);
  for (int width = LANES / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; i++) sums[i] += sums[i + width];
  }
  return sums[0];
}

KRAIT_CLONES void krait_squared_relu(float *values, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const float x = values[i] > 0.0f ? values[i] : 0.0f;
    values[i] = x * x;
  }
}

KRAIT_CLONES void krait_times_two_sqrt(float *restrict values, const float *restrict activation,
                                       ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    values[i] = values[i] * (2.0f * square_root(activation[i]));
  }
}

KRAIT_CLONES void krait_add(float *restrict target, const float *restrict source, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) target[i] += source[i];
}

KRAIT_CLONES float krait_maximum(const float *values, ptrdiff_t n) {
  float lanes[LANES];
  for (int j = 0; j < LANES; j++) lanes[j] = -INFINITY;
  ptrdiff_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    for (int j = 0; j < LANES; j++) lanes[j] = values[i + j] > lanes[j] ? values[i + j] : lanes[j];
  }
  float best = -INFINITY;
  for (; i < n; i++) best = values[i] > best ? values[i] : best;
  for (int j = 0; j < LANES; j++) best = lanes[j] > best ? lanes[j] : best;
  return best;
}

KRAIT_CLONES float krait_exp_shifted(float *values, ptrdiff_t n, float scale, float shift) {
  float lanes[LANES] = {0};
  ptrdiff_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    for (int j = 0; j < LANES; j++) {
      const float e = exponential(scale * values[i + j] - shift);
      values[i + j] = e;
      lanes[j] += e;
    }
  }
  for (int j = 0; i < n; i++, j++) {
    values[i] = exponential(scale * values[i] - shift);
    lanes[j] += values[i];
  }
  return fold(lanes);
}

KRAIT_CLONES float krait_sum_exp_shifted(const float *values, ptrdiff_t n, float shift) {
  float lanes[LANES] = {0};
  ptrdiff_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    for (int j = 0; j < LANES; j++) lanes[j] += exponential(values[i + j] - shift);
  }
  for (int j = 0; i < n; i++, j++) lanes[j] += exponential(values[i] - shift);
  return fold(lanes);
}

KRAIT_CLONES void krait_scale(float *values, ptrdiff_t n, float factor) {
  for (ptrdiff_t i = 0; i < n; i++) values[i] *= factor;
}

KRAIT_CLONES float krait_dot(const float *restrict a, const float *restrict b, ptrdiff_t n) {
  float lanes[LANES] = {0};
  ptrdiff_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    for (int j = 0; j < LANES; j++) lanes[j] += a[i + j] * b[i + j];
  }
  for (int j = 0; i < n; i++, j++) lanes[j] += a[i] * b[i];
  return fold(lanes);
}

KRAIT_CLONES double krait_sum_squares(const float *values, ptrdiff_t n) {
  double lanes[LANES] = {0};
  ptrdiff_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    for (int j = 0; j < LANES; j++) lanes[j] += (double)values[i + j] * (double)values[i + j];
  }
  for (int j = 0; i < n; i++, j++) lanes[j] += (double)values[i] * (double)values[i];
  double sum = 0;
  for (int j = 0; j < LANES; j++) sum += lanes[j];
  return sum;
}

KRAIT_CLONES void krait_rms_scale(const float *restrict input, const float *restrict weight,
                                  float inverse, float *restrict output, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) output[i] = input[i] * inverse * weight[i];
}

KRAIT_CLONES void krait_rms_gradient(const float *restrict gradient, const float *restrict input,
                                     const float *restrict weight, float inverse,
                                     float *restrict input_gradient,
                                     float *restrict weight_gradient, ptrdiff_t n) {
  float lanes[LANES] = {0};
  ptrdiff_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    for (int j = 0; j < LANES; j++) {
      lanes[j] += gradient[i + j] * weight[i + j] * input[i + j];
    }
  }
  for (int j = 0; i < n; i++, j++) lanes[j] += gradient[i] * weight[i] * input[i];
  const float mean = fold(lanes) / (float)n;
  const float pull = mean * inverse * inverse * inverse;
  for (i = 0; i < n; i++) {
    input_gradient[i] += inverse * gradient[i] * weight[i] - input[i] * pull;
    weight_gradient[i] += gradient[i] * input[i] * inverse;
  }
}

KRAIT_CLONES void krait_rotate(float *restrict head, const float *restrict cosines,
                               const float *restrict sines, ptrdiff_t half, float sign) {
  for (ptrdiff_t i = 0; i < half; i++) {
    const float x = head[i], y = head[i + half];
    const float sine = sign * sines[i];
    head[i] = x * cosines[i] - y * sine;
    head[i + half] = y * cosines[i] + x * sine;
  }
}

KRAIT_CLONES void krait_adamw(float *restrict parameters, const float *restrict gradients,
                              float *restrict first, float *restrict second, ptrdiff_t n,
                              float gradient_scale, float beta1, float beta2, float epsilon,
                              float step_size, float root_scale, float keep) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const float g = gradients[i] * gradient_scale;
    const float m = beta1 * first[i] + (1.0f - beta1) * g;
    const float v = beta2 * second[i] + (1.0f - beta2) * (g * g);
    first[i] = m;
    second[i] = v;
    const float root = square_root(v) * root_scale + epsilon;
    parameters[i] = keep * parameters[i] - step_size * (m / root);
  }
}
