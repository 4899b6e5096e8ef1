// 8-bit floats, e4m3: four bits of exponent, three after the point; 448 is the largest. Compute capability 8.9.
//
// Include it after a header with the types (element.cuh or hopper/types.cuh).
#pragma once

// Tokens come out of a norm, about 1 in size: times this, 2^-8 to 112 keep all bits.
constexpr float TOKEN_SCALE = 4.f;

#if __CUDA_ARCH__ >= 890
DEV u32 pack_e4m3(float a, float b, float c, float d) {
  u32 r;
  asm("{\n.reg .b16 l, h;\ncvt.rn.satfinite.e4m3x2.f32 l, %2, %1;\ncvt.rn.satfinite.e4m3x2.f32 h, %4, %3;\n"
      "mov.b32 %0, {l, h};\n}\n"
      : "=r"(r)
      : "f"(a), "f"(b), "f"(c), "f"(d));
  return r;
}
#endif
