// The square root as one instruction. C's own sets errno for negative numbers: a loop with that
// branch in it stays scalar, unless the compiler is told otherwise by a flag that a package
// cannot pass on. The result has the same bits.
#ifndef KRAIT_SQUARE_ROOT_H
#define KRAIT_SQUARE_ROOT_H

static inline float square_root(float x) {
#if __has_builtin(__builtin_elementwise_sqrt)
  return __builtin_elementwise_sqrt(x);
#else
  return __builtin_sqrtf(x);
#endif
}

#endif
