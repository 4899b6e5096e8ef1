// bf16 to 8-bit floats (e4m3: four bits of exponent, three after the point) for products that only choose neurons.
#pragma once
#include "hopper/memory.cuh"

constexpr float LARGEST = 448.f;    // of e4m3
constexpr float TOKEN_SCALE = 4.f;  // of what comes out of a norm, about 1: keeps 2^-8 to 112 at full precision

DEV u32 pack_e4m3(float a, float b, float c, float d) {
  u32 r;
  asm("{\n.reg .b16 l, h;\ncvt.rn.satfinite.e4m3x2.f32 l, %2, %1;\ncvt.rn.satfinite.e4m3x2.f32 h, %4, %3;\n"
      "mov.b32 %0, {l, h};\n}\n"
      : "=r"(r)
      : "f"(a), "f"(b), "f"(c), "f"(d));
  return r;
}

DEV uint2 quantize_eight(uint4 v, float scale) {
  return make_uint2(pack_e4m3(low_f32(v.x) * scale, high_f32(v.x) * scale, low_f32(v.y) * scale, high_f32(v.y) * scale),
                    pack_e4m3(low_f32(v.z) * scale, high_f32(v.z) * scale, low_f32(v.w) * scale, high_f32(v.w) * scale));
}

DEV float largest_magnitude(uint4 v) {
  const u32 pairs[4] = {v.x, v.y, v.z, v.w};
  float most = 0;
#pragma unroll
  for (int j = 0; j < 4; ++j) most = fmaxf(most, fmaxf(fabsf(low_f32(pairs[j])), fabsf(high_f32(pairs[j]))));
  return most;
}

// What a neuron's weights are multiplied by, so that its largest becomes the largest there is; and what a sum of
// squares of its products with tokens has to be multiplied by afterwards.
DEV float neuron_scale(float largest) { return largest > 1e-30f ? LARGEST / largest : 1.f; }
DEV float sum_factor(float scale) {
  const float inverse = 1.f / (scale * TOKEN_SCALE);
  return inverse * inverse;
}
