// One AdamW step in float32; the weights that products use are written beside the parameters when
// they are another copy (`weights` not null), rounded to the element type. Grid-stride.
// update_packed: four numbers per thread; 28 bytes move for each, 30 with weights in bfloat16.
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

KERNEL __launch_bounds__(256) update(float* parameters, const float* gradients, float* first, float* second,
                                     element* weights, i64 count, float gradient_scale, float beta1, float beta2,
                                     float epsilon, float step_size, float root_scale, float keep) {
  const Step step = {gradient_scale, beta1, beta2, epsilon, step_size, root_scale, keep};
  for (i64 i = thread_index(); i < count; i += thread_count()) {
    float p = parameters[i], m = first[i], v = second[i];
    step.apply(p, gradients[i], m, v);
    first[i] = m;
    second[i] = v;
    parameters[i] = p;
    if (weights) weights[i] = from_float(p);
  }
}

// Addresses are multiples of 16 bytes; `count` may be anything.
KERNEL __launch_bounds__(256) update_packed(float* parameters, const float* gradients, float* first, float* second,
                                            element* weights, i64 count, float gradient_scale, float beta1,
                                            float beta2, float epsilon, float step_size, float root_scale,
                                            float keep) {
  const Step step = {gradient_scale, beta1, beta2, epsilon, step_size, root_scale, keep};
  for (i64 i = thread_index() * 4; i < count; i += thread_count() * 4) {
    if (i + 4 <= count) {
      float4 p = *(const float4*)(parameters + i), m = *(const float4*)(first + i), v = *(const float4*)(second + i);
      const float4 g = *(const float4*)(gradients + i);
      step.apply(p.x, g.x, m.x, v.x);
      step.apply(p.y, g.y, m.y, v.y);
      step.apply(p.z, g.z, m.z, v.z);
      step.apply(p.w, g.w, m.w, v.w);
      *(float4*)(first + i) = m;
      *(float4*)(second + i) = v;
      *(float4*)(parameters + i) = p;
      if (weights) {
        element four[4] = {from_float(p.x), from_float(p.y), from_float(p.z), from_float(p.w)};
#if KRAIT_BFLOAT16
        *(uint2*)(weights + i) = make_uint2((u32)four[0] | (u32)four[1] << 16, (u32)four[2] | (u32)four[3] << 16);
#else
        *(float4*)(weights + i) = make_float4(four[0], four[1], four[2], four[3]);
#endif
      }
    } else {
      for (i64 k = i; k < count; ++k) {
        float p = parameters[k], m = first[k], v = second[k];
        step.apply(p, gradients[k], m, v);
        first[k] = m;
        second[k] = v;
        parameters[k] = p;
        if (weights) weights[k] = from_float(p);
      }
    }
  }
}
