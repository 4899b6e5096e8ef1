// Turns dimension j of every head together with j + width / 2, in place. A thread per pair, or for 16 bytes
// of either half of a head.
#include "pack.cuh"

KERNEL rotate(element* values, i64 stride, const float* table, i64 table_stride, i64 rows, i64 heads, i64 head_width,
              i64 sequence_length, i64 first_position, float sign) {
  begin_kernel();
  const i64 half = head_width / 2, pairs = rows * heads * half;
  for (i64 index = thread_index(); index < pairs; index += thread_count()) {
    const i64 j = index % half, head = index / half % heads, row = index / (half * heads);
    const float* angles = table + (first_position + row % sequence_length) * table_stride;
    const float cosine = angles[j], sine = sign * angles[half + j];
    element* at = values + row * stride + head * head_width + j;
    const float x = to_float(at[0]), y = to_float(at[half]);
    at[0] = from_float(x * cosine - y * sine);
    at[half] = from_float(y * cosine + x * sine);
  }
}

KERNEL __launch_bounds__(256) rotate_packed(element* values, i64 stride, const float* table, i64 table_stride, i64 rows,
                                            i64 heads, i64 head_width, i64 sequence_length, i64 first_position,
                                            float sign) {
  begin_kernel();
  const u32 half = (u32)head_width / 2, packs = half / PACK, per_row = (u32)heads * packs;
  const u32 total = (u32)rows * per_row;
  for (u32 index = (u32)thread_index(); index < total; index += (u32)thread_count()) {
    const u32 row = index / per_row, place = index % per_row, head = place / packs, j = place % packs * PACK;
    const float* angles = table + (first_position + row % (u32)sequence_length) * table_stride + j;
    float cosine[PACK], sine[PACK], x[PACK], y[PACK], turned[PACK];
    element* at = values + row * stride + head * (u32)head_width + j;
    load_pack(at, x);
    load_pack(at + half, y);
    load_floats(angles, cosine);
    load_floats(angles + half, sine);
#pragma unroll
    for (int i = 0; i < PACK; ++i) {
      const float s = sign * sine[i];
      turned[i] = x[i] * cosine[i] - y[i] * s;
      y[i] = y[i] * cosine[i] + x[i] * s;
    }
    store_pack(at, turned);
    store_pack(at + half, y);
  }
}
