// Keeps the largest of every four consecutive values of a row; ties to the lower index.
#include "element.cuh"

KERNEL mask_fours(element* values, i64 stride, i64 rows, i64 columns, int keep) {
  const i64 groups = columns / 4;
  for (i64 index = thread_index(); index < rows * groups; index += thread_count()) {
    element* at = values + index / groups * stride + index % groups * 4;
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
}
