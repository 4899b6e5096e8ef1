// One AdamW step in float32; the weights that products use are written beside the parameters when
// they are another copy (`weights` not null), rounded to the element type. Grid-stride.
// update_packed: four numbers per thread; 28 bytes move for each, 30 with weights in bfloat16.
// _narrow: gradients have the element type too; 28 bytes again.
#include "element.cuh"

struct Step {
  float gradient_scale, beta1, beta2, epsilon, step_size, root_scale, keep;
  DEV void apply(float& parameter, float gradient, float& first, float& second) const {
    const float g = gradient * gradient_scale;
    first = beta1 * first + (1.0f - beta1) * g;
    second = beta2 * second + (1.0f - beta2) * (g * g);
    parameter = keep * parameter - step_size * (first / (sqrtf(second) * root_scale + epsilon));
  }
};

DEV float number(float x) { return x; }
DEV float4 four_numbers(const float* at) { return *(const float4*)at; }
#if KRAIT_BFLOAT16
DEV float number(element x) { return to_float(x); }
DEV float4 four_numbers(const element* at) {
  const uint2 raw = *(const uint2*)at;
  return make_float4(__uint_as_float(raw.x << 16), __uint_as_float(raw.x & 0xffff0000u), __uint_as_float(raw.y << 16),
                     __uint_as_float(raw.y & 0xffff0000u));
}
#endif

struct Numbers {
  float *parameters, *first, *second;
  element* weights;
  i64 count;
};

template <typename G> DEV void update_one(const Numbers& all, const G* gradients, const Step& step, i64 i) {
  float p = all.parameters[i], m = all.first[i], v = all.second[i];
  step.apply(p, number(gradients[i]), m, v);
  all.first[i] = m;
  all.second[i] = v;
  all.parameters[i] = p;
  if (all.weights) all.weights[i] = from_float(p);
}

template <typename G> DEV void update_four(const Numbers& all, const G* gradients, const Step& step, i64 i) {
  float4 p = four_numbers(all.parameters + i), m = four_numbers(all.first + i), v = four_numbers(all.second + i);
  const float4 g = four_numbers(gradients + i);
  step.apply(p.x, g.x, m.x, v.x);
  step.apply(p.y, g.y, m.y, v.y);
  step.apply(p.z, g.z, m.z, v.z);
  step.apply(p.w, g.w, m.w, v.w);
  *(float4*)(all.first + i) = m;
  *(float4*)(all.second + i) = v;
  *(float4*)(all.parameters + i) = p;
  if (!all.weights) return;
  element four[4] = {from_float(p.x), from_float(p.y), from_float(p.z), from_float(p.w)};
#if KRAIT_BFLOAT16
  *(uint2*)(all.weights + i) = make_uint2((u32)four[0] | (u32)four[1] << 16, (u32)four[2] | (u32)four[3] << 16);
#else
  *(float4*)(all.weights + i) = make_float4(four[0], four[1], four[2], four[3]);
#endif
}

template <typename G> DEV void update_each(const Numbers& all, const G* gradients, const Step& step) {
  for (i64 i = thread_index(); i < all.count; i += thread_count()) update_one(all, gradients, step, i);
}

// Addresses are multiples of 16 bytes; `count` may be anything.
template <typename G> DEV void update_fours(const Numbers& all, const G* gradients, const Step& step) {
  for (i64 i = thread_index() * 4; i < all.count; i += thread_count() * 4) {
    if (i + 4 <= all.count) {
      update_four(all, gradients, step, i);
    } else {
      for (i64 k = i; k < all.count; ++k) update_one(all, gradients, step, k);
    }
  }
}

#define UPDATE(NAME, HOW, G)                                                                                     \
  KERNEL __launch_bounds__(256) NAME(float* parameters, const G* gradients, float* first, float* second,         \
                                     element* weights, i64 count, float gradient_scale, float beta1, float beta2, \
                                     float epsilon, float step_size, float root_scale, float keep) {             \
    begin_kernel();                                                                                              \
    const Step step = {gradient_scale, beta1, beta2, epsilon, step_size, root_scale, keep};                      \
    HOW(Numbers{parameters, first, second, weights, count}, gradients, step);                                    \
  }

UPDATE(update, update_each, float)
UPDATE(update_packed, update_fours, float)
#if KRAIT_BFLOAT16
UPDATE(update_narrow, update_each, element)
UPDATE(update_packed_narrow, update_fours, element)
#endif
