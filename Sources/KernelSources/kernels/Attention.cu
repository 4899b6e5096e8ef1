// Causal grouped-query attention without tensor cores: what runs when cuDNN cannot.
//
// Compiled for each head width (KRAIT_HEAD_WIDTH). Tiles of 32 queries and 32 keys, 256 threads;
// the online softmax of FlashAttention (arXiv 2205.14135). Reproducible: every block owns what it
// writes and goes through its tiles in order.
//   forward          grid (query tiles, heads, sequences)
//   output_dot       delta[row, head] = sum(dO * O): grid-stride over warps
//   query_gradient   grid (query tiles, heads, sequences)
//   key_gradient     grid (key tiles, key heads, sequences): dK and dV over all heads of a group
// A thread owns row threadIdx / 8 of a tile and the columns threadIdx % 8 + 8 i of a head.
#include "reduce.cuh"

constexpr int WIDTH = KRAIT_HEAD_WIDTH, ROWS = 32, LANES = 8, OWN = (WIDTH + LANES - 1) / LANES;
constexpr int PITCH = WIDTH + 1;

struct Heads {
  i64 query_length, key_length;
  int heads, key_heads;
  float scale;
  DEV int key_head(int head) const { return head / (heads / key_heads); }
  // Keys that query i sees.
  DEV i64 seen(i64 i) const { return i + 1 + key_length - query_length; }
};

DEV void load_tile(float (*tile)[PITCH], const element* base, i64 stride, i64 first, i64 count) {
  for (int index = threadIdx.x; index < ROWS * WIDTH; index += blockDim.x) {
    const int row = index / WIDTH, column = index % WIDTH;
    tile[row][column] = first + row < count ? to_float(base[(first + row) * stride + column]) : 0.0f;
  }
}

DEV float dot(const float* a, const float* b) {
  float sum = 0.0f;
#pragma unroll 16
  for (int i = 0; i < WIDTH; ++i) sum = fmaf(a[i], b[i], sum);
  return sum;
}

KERNEL __launch_bounds__(256) forward(const element* query, i64 query_stride, const element* key, i64 key_stride,
                                      const element* value, i64 value_stride, element* output, i64 output_stride,
                                      float* log_sum_exp, i64 log_sum_exp_stride, Heads h) {
  begin_kernel();
  extern __shared__ float memory[];
  float(*q)[PITCH] = (float(*)[PITCH])memory;
  float(*k)[PITCH] = q + ROWS;
  float(*v)[PITCH] = k + ROWS;
  float(*p)[ROWS + 1] = (float(*)[ROWS + 1])(v + ROWS);
  const int head = blockIdx.y, row = threadIdx.x / LANES, lane = threadIdx.x % LANES;
  const i64 sequence = blockIdx.z, first = (i64)blockIdx.x * ROWS;
  query += sequence * h.query_length * query_stride + head * WIDTH;
  key += sequence * h.key_length * key_stride + h.key_head(head) * WIDTH;
  value += sequence * h.key_length * value_stride + h.key_head(head) * WIDTH;
  load_tile(q, query, query_stride, first, h.query_length);
  float sums[OWN], maximum = -INFINITE, total = 0.0f;
#pragma unroll
  for (int i = 0; i < OWN; ++i) sums[i] = 0.0f;
  const i64 last = first + ROWS < h.query_length ? first + ROWS : h.query_length;
  const i64 end = h.seen(last - 1), mine = h.seen(first + row);
  for (i64 start = 0; start < end; start += ROWS) {
    __syncthreads();
    load_tile(k, key, key_stride, start, h.key_length);
    load_tile(v, value, value_stride, start, h.key_length);
    __syncthreads();
    float scores[4], highest = maximum;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int column = lane + LANES * i;
      scores[i] = start + column < mine ? h.scale * dot(q[row], k[column]) : -INFINITE;
      highest = fmaxf(highest, scores[i]);
    }
#pragma unroll
    for (int offset = 4; offset > 0; offset >>= 1) {
      highest = fmaxf(highest, __shfl_xor_sync(0xffffffffu, highest, offset));
    }
    const float correction = highest == -INFINITE ? 1.0f : expf(maximum - highest);
    float added = 0.0f;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float e = scores[i] == -INFINITE ? 0.0f : expf(scores[i] - highest);
      p[row][lane + LANES * i] = e;
      added += e;
    }
#pragma unroll
    for (int offset = 4; offset > 0; offset >>= 1) added += __shfl_xor_sync(0xffffffffu, added, offset);
    total = total * correction + added;
    maximum = highest;
    __syncwarp();
#pragma unroll
    for (int i = 0; i < OWN; ++i) sums[i] *= correction;
    for (int j = 0; j < ROWS; ++j) {
      const float weight = p[row][j];
#pragma unroll
      for (int i = 0; i < OWN; ++i) {
        const int column = lane + LANES * i;
        if (column < WIDTH) sums[i] = fmaf(weight, v[j][column], sums[i]);
      }
    }
  }
  if (first + row >= h.query_length) return;
  const i64 target = sequence * h.query_length + first + row;
#pragma unroll
  for (int i = 0; i < OWN; ++i) {
    const int column = lane + LANES * i;
    if (column < WIDTH) output[target * output_stride + head * WIDTH + column] = from_float(sums[i] / total);
  }
  if (lane == 0) log_sum_exp[(sequence * h.heads + head) * log_sum_exp_stride + first + row] = maximum + logf(total);
}

KERNEL __launch_bounds__(256) output_dot(const element* output, i64 output_stride, const element* gradient,
                                         i64 gradient_stride, float* delta, i64 rows, int heads) {
  begin_kernel();
  const int lane = threadIdx.x & 31;
  for (i64 item = thread_index() >> 5; item < rows * heads; item += thread_count() >> 5) {
    const i64 row = item / heads, head = item % heads;
    float sum = 0.0f;
    for (int i = lane; i < WIDTH; i += 32) {
      sum = fmaf(to_float(output[row * output_stride + head * WIDTH + i]),
                 to_float(gradient[row * gradient_stride + head * WIDTH + i]), sum);
    }
    sum = warp_sum(sum);
    if (lane == 0) delta[item] = sum;
  }
}

KERNEL __launch_bounds__(256) query_gradient(const element* query, i64 query_stride, const element* key,
                                             i64 key_stride, const element* value, i64 value_stride,
                                             const element* gradient, i64 gradient_stride, const float* log_sum_exp,
                                             i64 log_sum_exp_stride, const float* delta, element* result,
                                             i64 result_stride, Heads h) {
  begin_kernel();
  extern __shared__ float memory[];
  float(*q)[PITCH] = (float(*)[PITCH])memory;
  float(*g)[PITCH] = q + ROWS;
  float(*k)[PITCH] = g + ROWS;
  float(*v)[PITCH] = k + ROWS;
  float(*s)[ROWS + 1] = (float(*)[ROWS + 1])(v + ROWS);
  const int head = blockIdx.y, row = threadIdx.x / LANES, lane = threadIdx.x % LANES;
  const i64 sequence = blockIdx.z, first = (i64)blockIdx.x * ROWS, length = h.query_length, base = sequence * length;
  load_tile(q, query + base * query_stride + head * WIDTH, query_stride, first, length);
  load_tile(g, gradient + base * gradient_stride + head * WIDTH, gradient_stride, first, length);
  const bool inside = first + row < length;
  const float lse = inside ? log_sum_exp[(sequence * h.heads + head) * log_sum_exp_stride + first + row] : 0.0f;
  const float d = inside ? delta[(base + first + row) * h.heads + head] : 0.0f;
  float sums[OWN];
#pragma unroll
  for (int i = 0; i < OWN; ++i) sums[i] = 0.0f;
  const i64 end = first + ROWS < length ? first + ROWS : length;
  for (i64 start = 0; start < end; start += ROWS) {
    __syncthreads();
    load_tile(k, key + base * key_stride + h.key_head(head) * WIDTH, key_stride, start, length);
    load_tile(v, value + base * value_stride + h.key_head(head) * WIDTH, value_stride, start, length);
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int column = lane + LANES * i;
      const bool seen = inside && start + column <= first + row;
      const float p = seen ? expf(h.scale * dot(q[row], k[column]) - lse) : 0.0f;
      s[row][column] = seen ? p * (dot(g[row], v[column]) - d) * h.scale : 0.0f;
    }
    __syncwarp();
    for (int j = 0; j < ROWS; ++j) {
      const float slope = s[row][j];
#pragma unroll
      for (int i = 0; i < OWN; ++i) {
        const int column = lane + LANES * i;
        if (column < WIDTH) sums[i] = fmaf(slope, k[j][column], sums[i]);
      }
    }
  }
  if (!inside) return;
#pragma unroll
  for (int i = 0; i < OWN; ++i) {
    const int column = lane + LANES * i;
    if (column < WIDTH) result[(base + first + row) * result_stride + head * WIDTH + column] = from_float(sums[i]);
  }
}

KERNEL __launch_bounds__(256) key_gradient(const element* query, i64 query_stride, const element* key, i64 key_stride,
                                           const element* value, i64 value_stride, const element* gradient,
                                           i64 gradient_stride, const float* log_sum_exp, i64 log_sum_exp_stride,
                                           const float* delta, element* key_result, i64 key_result_stride,
                                           element* value_result, i64 value_result_stride, Heads h) {
  begin_kernel();
  extern __shared__ float memory[];
  float(*q)[PITCH] = (float(*)[PITCH])memory;
  float(*g)[PITCH] = q + ROWS;
  float(*k)[PITCH] = g + ROWS;
  float(*v)[PITCH] = k + ROWS;
  float(*p)[ROWS + 1] = (float(*)[ROWS + 1])(v + ROWS);
  float(*s)[ROWS + 1] = p + ROWS;
  // Row: a key of the tile. Scores are stored as [key][query].
  const int key_head = blockIdx.y, row = threadIdx.x / LANES, lane = threadIdx.x % LANES;
  const i64 sequence = blockIdx.z, first = (i64)blockIdx.x * ROWS, length = h.query_length, base = sequence * length;
  const int group = h.heads / h.key_heads;
  load_tile(k, key + base * key_stride + key_head * WIDTH, key_stride, first, length);
  load_tile(v, value + base * value_stride + key_head * WIDTH, value_stride, first, length);
  float key_sums[OWN], value_sums[OWN];
#pragma unroll
  for (int i = 0; i < OWN; ++i) key_sums[i] = value_sums[i] = 0.0f;
  for (int head = key_head * group; head < (key_head + 1) * group; ++head) {
    for (i64 start = first; start < length; start += ROWS) {
      __syncthreads();
      load_tile(q, query + base * query_stride + head * WIDTH, query_stride, start, length);
      load_tile(g, gradient + base * gradient_stride + head * WIDTH, gradient_stride, start, length);
      __syncthreads();
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int column = lane + LANES * i;
        const i64 at = start + column;
        const bool seen = at < length && first + row <= at;
        float weight = 0.0f, slope = 0.0f;
        if (seen) {
          const float lse = log_sum_exp[(sequence * h.heads + head) * log_sum_exp_stride + at];
          weight = expf(h.scale * dot(q[column], k[row]) - lse);
          slope = weight * (dot(g[column], v[row]) - delta[(base + at) * h.heads + head]) * h.scale;
        }
        p[row][column] = weight;
        s[row][column] = slope;
      }
      __syncwarp();
      for (int j = 0; j < ROWS; ++j) {
        const float weight = p[row][j], slope = s[row][j];
#pragma unroll
        for (int i = 0; i < OWN; ++i) {
          const int column = lane + LANES * i;
          if (column >= WIDTH) continue;
          key_sums[i] = fmaf(slope, q[j][column], key_sums[i]);
          value_sums[i] = fmaf(weight, g[j][column], value_sums[i]);
        }
      }
    }
  }
  if (first + row >= length) return;
  const i64 target = base + first + row;
#pragma unroll
  for (int i = 0; i < OWN; ++i) {
    const int column = lane + LANES * i;
    if (column >= WIDTH) continue;
    key_result[target * key_result_stride + key_head * WIDTH + column] = from_float(key_sums[i]);
    value_result[target * value_result_stride + key_head * WIDTH + column] = from_float(value_sums[i]);
  }
}
