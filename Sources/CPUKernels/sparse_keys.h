// Integers that compare as floats do: -0.0 equals +0.0, NaN is below everything.
#ifndef KRAIT_SPARSE_KEYS_H
#define KRAIT_SPARSE_KEYS_H

#include <stdint.h>
#include <string.h>

static inline __attribute__((always_inline)) int32_t krait_key(float value) {
  const float x = value + 0.0f;  // -0.0 becomes +0.0
  int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  // Negative numbers: the larger the magnitude, the smaller the key.
  const int32_t key = bits ^ ((bits >> 31) & INT32_MAX);
  return x == x ? key : INT32_MIN;
}

#endif
