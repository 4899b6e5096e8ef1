// Keeps the largest of every four consecutive values of a row; ties to the lower index. A thread per four.
//
// mask_fours_8 (bfloat16 rows at 8-byte addresses) reads and writes its four values at once.
#include "element.cuh"

DEV void mask(element (&at)[4], int keep) {
  int keys[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) keys[i] = ordered_key(to_float(at[i]));
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    int ahead = 0;
#pragma unroll
    for (int j = 0; j < 4; ++j) ahead += keys[j] > keys[i] || (keys[j] == keys[i] && j < i);
    if (ahead >= keep) at[i] = from_float(0.0f);
  }
}

KERNEL mask_fours(element* values, i64 stride, i64 rows, i64 columns, int keep) {
  begin_kernel();
  const i64 groups = columns / 4;
  for (i64 index = thread_index(); index < rows * groups; index += thread_count()) {
    element* at = values + index / groups * stride + index % groups * 4;
    element four[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) four[i] = at[i];
    mask(four, keep);
#pragma unroll
    for (int i = 0; i < 4; ++i) at[i] = four[i];
  }
}

#if KRAIT_BFLOAT16
KERNEL mask_fours_8(element* values, i64 stride, i64 rows, i64 columns, int keep) {
  begin_kernel();
  const i64 groups = columns / 4;
  for (i64 index = thread_index(); index < rows * groups; index += thread_count()) {
    uint2* at = (uint2*)(values + index / groups * stride + index % groups * 4);
    const uint2 words = *at;
    element four[4] = {(u16)words.x, (u16)(words.x >> 16), (u16)words.y, (u16)(words.y >> 16)};
    mask(four, keep);
    *at = make_uint2(four[0] | (u32)four[1] << 16, four[2] | (u32)four[3] << 16);
  }
}
#endif
