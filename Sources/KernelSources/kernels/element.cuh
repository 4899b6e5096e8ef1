// Types and the element type of a kernel: a file is compiled once for each storage type, with
// KRAIT_BFLOAT16 1 for bfloat16 and 0 for float32. Arithmetic is float32 in both.
#pragma once
#include "dependent_launch.cuh"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#define DEV __device__ __forceinline__
#define KERNEL extern "C" __global__ void

#if KRAIT_BFLOAT16
typedef u16 element;
DEV float to_float(element x) { return __uint_as_float((u32)x << 16); }
DEV element from_float(float x) {
  u16 bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}
#else
typedef float element;
DEV float to_float(element x) { return x; }
DEV element from_float(float x) { return x; }
#endif

DEV i64 thread_index() { return (i64)blockIdx.x * blockDim.x + threadIdx.x; }
DEV i64 thread_count() { return (i64)gridDim.x * blockDim.x; }

#define NOT_A_NUMBER __int_as_float(0x7fc00000)
#define INFINITE __int_as_float(0x7f800000)

// Integers that compare as floats do: -0 equals +0, NaN is below everything.
DEV int ordered_key(float value) {
  const int bits = __float_as_int(value + 0.0f);
  const int key = bits ^ ((bits >> 31) & 0x7fffffff);
  return value == value ? key : (int)0x80000000;
}
