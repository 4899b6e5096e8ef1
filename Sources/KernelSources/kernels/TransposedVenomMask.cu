// V:N:M of A^T in place: see Compute's TransposedVenomMask.
//
// Grid (token groups, neuron blocks), 128 threads; shared memory: a sum and a rank for every token
// of a group. A thread sums its tokens over the block's neurons in order, then masks its neurons.
#include "element.cuh"

KERNEL __launch_bounds__(128) transposed_venom_mask(element* activation, i64 activation_stride, element* companion,
                                                    i64 companion_stride, const int* order, i64 tokens, i64 neurons,
                                                    i64 block_neurons, int keep, int group_tokens) {
  begin_kernel();
  extern __shared__ __align__(16) int keys[];  // of a multiple of four tokens; those that are not there lose
  __shared__ int kept[4];
  const i64 start = (i64)blockIdx.x * group_tokens, first = (i64)blockIdx.y * block_neurons;
  const int count = (int)(tokens - start < group_tokens ? tokens - start : group_tokens);
  const i64 end = first + block_neurons < neurons ? first + block_neurons : neurons;
  const int padded = (count + 3) & ~3;
  for (int t = threadIdx.x; t < padded; t += blockDim.x) {
    if (t >= count) {
      keys[t] = (int)0x80000000;
      continue;
    }
    const element* row = activation + (order ? (i64)order[start + t] : start + t) * activation_stride;
    float sum = 0.0f;
    for (i64 n = first; n < end; ++n) sum += to_float(row[n]);
    keys[t] = ordered_key(sum);
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    int written = 0;
    for (int t = 0; t < count && written < 4; ++t) {
      int ahead = 0;
      const int own = keys[t];
      for (int u = 0; u < padded; u += 4) {  // whole vectors: nothing behind the last one is read
        const int4 k = *(const int4*)(keys + u);
        ahead += k.x > own || (k.x == own && u < t);
        ahead += k.y > own || (k.y == own && u + 1 < t);
        ahead += k.z > own || (k.z == own && u + 2 < t);
        ahead += k.w > own || (k.w == own && u + 3 < t);
      }
      if (ahead < 4) kept[written++] = t;
    }
    for (; written < 4; ++written) kept[written] = -1;
  }
  __syncthreads();
  for (i64 n = first + threadIdx.x; n < end; n += blockDim.x) {
    int four[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int t = kept[i];
      const i64 row = t < 0 ? 0 : (order ? (i64)order[start + t] : start + t);
      four[i] = t < 0 ? (int)0x80000000 : ordered_key(to_float(activation[row * activation_stride + n]));
    }
    for (int t = 0; t < count; ++t) {
      int ahead = 4;
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        if (kept[i] != t) continue;
        ahead = 0;
#pragma unroll
        for (int j = 0; j < 4; ++j) ahead += kept[j] >= 0 && (four[j] > four[i] || (four[j] == four[i] && j < i));
      }
      if (ahead < keep) continue;
      const i64 row = order ? (i64)order[start + t] : start + t;
      activation[row * activation_stride + n] = from_float(0.0f);
      if (companion) companion[row * companion_stride + n] = from_float(0.0f);
    }
  }
}
