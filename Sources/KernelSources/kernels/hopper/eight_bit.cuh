// bf16 to 8-bit floats for products that only choose neurons.
#pragma once
#include "hopper/memory.cuh"
#include "e4m3.cuh"

constexpr float LARGEST = 448.f;  // of e4m3

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
