// A = relu(H)^2 in place, and dH = dA * 2 sqrt(A) in place. Grid-stride, 256 threads.
#include "element.cuh"

KERNEL forward(element* values, i64 stride, i64 rows, i64 columns) {
  begin_kernel();
  for (i64 index = thread_index(); index < rows * columns; index += thread_count()) {
    element* at = values + index / columns * stride + index % columns;
    const float x = to_float(*at), positive = x > 0.0f ? x : 0.0f;
    *at = from_float(positive * positive);
  }
}

KERNEL backward(const element* activation, i64 activation_stride, element* gradient, i64 gradient_stride, i64 rows,
                i64 columns) {
  begin_kernel();
  for (i64 index = thread_index(); index < rows * columns; index += thread_count()) {
    const i64 row = index / columns, column = index % columns;
    element* at = gradient + row * gradient_stride + column;
    *at = from_float(to_float(*at) * (2.0f * sqrtf(to_float(activation[row * activation_stride + column]))));
  }
}
