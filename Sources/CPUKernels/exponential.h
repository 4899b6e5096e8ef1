// The exponential that every softmax here uses: plain arithmetic, so that loops over it vectorise.
#ifndef KRAIT_EXPONENTIAL_H
#define KRAIT_EXPONENTIAL_H

#include <math.h>
#include <string.h>

// The Taylor series of exp to r^7: enough for |r| <= ln 2 / 2.
static inline float exponential_series(float r) {
  float p = 1.98412698e-4f;
  p = p * r + 1.38888889e-3f;
  p = p * r + 8.33333333e-3f;
  p = p * r + 4.16666667e-2f;
  p = p * r + 1.66666667e-1f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p;
}

// exp(x) to about 1 unit in the last place: x = n ln 2 + r, |r| <= ln 2 / 2, and a polynomial in
// r. Below -87.3 the result is 0, above 88.7 infinity;
// NaN stays NaN.
static inline float exponential(float x) {
  const float shifter = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  const float clamped = x < -88.0f ? -88.0f : (x > 89.0f ? 89.0f : x);
  const float n = (clamped * 1.44269504088896341f + shifter) - shifter;
  const float r = (clamped - n * 0.693359375f) - n * -2.12194440e-4f;
  const float p = exponential_series(r);
  // 2^n in two factors, so that n = 128 does not overflow the exponent on its own.
  const int half = (int)n / 2;
  const int rest = (int)n - half;
  int bits1 = (half + 127) << 23, bits2 = (rest + 127) << 23;
  float factor1, factor2;
  memcpy(&factor1, &bits1, 4);
  memcpy(&factor2, &bits2, 4);
  const float result = p * factor1 * factor2;
  const float low = x < -87.3365447f ? 0.0f : result;
  return x > 88.7228394f ? INFINITY : low;
}

// The same for x <= 0, as in a softmax, with half the instructions: 2^n comes straight from the
// sum with the shifter. Above 88 the result means nothing.
static inline float exponential_to_one(float x) {
  const float shifter = 12582912.0f;
  const float shifted = x * 1.44269504088896341f + shifter;
  const float n = shifted - shifter;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  const float p = exponential_series(r);
  unsigned bits;
  memcpy(&bits, &shifted, 4);
  bits = (bits << 23) + (127u << 23);
  float factor;
  memcpy(&factor, &bits, 4);
  const float result = p * factor;
  return x < -87.3365447f ? 0.0f : result;
}

#endif
