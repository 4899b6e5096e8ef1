// Turns dimension j of every head together with j + width / 2, in place. A thread per pair.
#include "element.cuh"

KERNEL rotate(element* values, i64 stride, const float* table, i64 table_stride, i64 rows, i64 heads, i64 head_width,
              i64 sequence_length, i64 first_position, float sign) {
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
