// Sixteen bytes of neighbouring elements at once: 8 of bfloat16, 4 of float32.
//
// The host says that addresses and strides allow it before it starts a kernel whose name ends in _packed.
#pragma once
#include "element.cuh"

constexpr int PACK = 16 / sizeof(element);

#if KRAIT_BFLOAT16
DEV void unpack(uint4 raw, float (&values)[PACK]) {
  const u32 words[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    values[2 * i] = __uint_as_float(words[i] << 16);
    values[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
  }
}
DEV uint4 pack(const float (&values)[PACK]) {
  u32 words[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    words[i] = (u32)from_float(values[2 * i]) | (u32)from_float(values[2 * i + 1]) << 16;
  }
  return make_uint4(words[0], words[1], words[2], words[3]);
}
#else
DEV void unpack(uint4 raw, float (&values)[PACK]) {
  values[0] = __uint_as_float(raw.x);
  values[1] = __uint_as_float(raw.y);
  values[2] = __uint_as_float(raw.z);
  values[3] = __uint_as_float(raw.w);
}
DEV uint4 pack(const float (&values)[PACK]) {
  return make_uint4(__float_as_uint(values[0]), __float_as_uint(values[1]), __float_as_uint(values[2]),
                    __float_as_uint(values[3]));
}
#endif

DEV uint4 load_raw(const element* at) { return *(const uint4*)at; }
DEV void load_pack(const element* at, float (&values)[PACK]) { unpack(load_raw(at), values); }
DEV void store_pack(element* at, const float (&values)[PACK]) { *(uint4*)at = pack(values); }

// PACK neighbouring floats.
DEV void load_floats(const float* at, float (&values)[PACK]) {
#pragma unroll
  for (int i = 0; i < PACK; i += 4) {
    const float4 four = *(const float4*)(at + i);
    values[i] = four.x;
    values[i + 1] = four.y;
    values[i + 2] = four.z;
    values[i + 3] = four.w;
  }
}
DEV void store_floats(float* at, const float (&values)[PACK]) {
#pragma unroll
  for (int i = 0; i < PACK; i += 4) {
    *(float4*)(at + i) = make_float4(values[i], values[i + 1], values[i + 2], values[i + 3]);
  }
}
