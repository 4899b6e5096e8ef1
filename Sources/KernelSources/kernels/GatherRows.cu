// output[i] = source[rows[i]], bit for bit: a block per row.
#include "element.cuh"

KERNEL gather(const element* source, i64 source_stride, const int* rows, element* output, i64 output_stride,
              i64 columns) {
  const i64 row = blockIdx.x;
  const element* from = source + (i64)rows[row] * source_stride;
  element* to = output + row * output_stride;
  for (i64 i = threadIdx.x; i < columns; i += blockDim.x) to[i] = from[i];
}
