// float32 to the element type and back, rounding to nearest, ties to even. Grid-stride.
#include "element.cuh"

KERNEL narrow(const float* source, i64 source_stride, element* output, i64 output_stride, i64 rows, i64 columns) {
  begin_kernel();
  for (i64 index = thread_index(); index < rows * columns; index += thread_count()) {
    const i64 row = index / columns, column = index % columns;
    output[row * output_stride + column] = from_float(source[row * source_stride + column]);
  }
}

KERNEL widen(const element* source, i64 source_stride, float* output, i64 output_stride, i64 rows, i64 columns) {
  begin_kernel();
  for (i64 index = thread_index(); index < rows * columns; index += thread_count()) {
    const i64 row = index / columns, column = index % columns;
    output[row * output_stride + column] = to_float(source[row * source_stride + column]);
  }
}
