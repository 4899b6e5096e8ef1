// Statistics of fused attention: [sequences, heads, length] as the library wants them, to and from
// [sequences * length, heads] as operations keep them. Grid-stride.
#include "element.cuh"

KERNEL to_rows(const float* by_head, float* rows, i64 stride, i64 sequences, i64 heads, i64 length) {
  for (i64 index = thread_index(); index < sequences * heads * length; index += thread_count()) {
    const i64 head = index % heads, token = index / heads;
    rows[token * stride + head] = by_head[(token / length * heads + head) * length + token % length];
  }
}

KERNEL to_heads(const float* rows, i64 stride, float* by_head, i64 sequences, i64 heads, i64 length) {
  for (i64 index = thread_index(); index < sequences * heads * length; index += thread_count()) {
    const i64 position = index % length, head = index / length % heads, sequence = index / (length * heads);
    by_head[index] = rows[(sequence * length + position) * stride + head];
  }
}
