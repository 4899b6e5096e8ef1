// One AdamW step in float32; the weights that products use are written beside the parameters when
// they are another copy (`weights` not null), rounded to the element type. Grid-stride.
#include "element.cuh"

KERNEL __launch_bounds__(256) update(float* parameters, const float* gradients, float* first, float* second,
                                     element* weights, i64 count, float gradient_scale, float beta1, float beta2,
                                     float epsilon, float step_size, float root_scale, float keep) {
  for (i64 i = thread_index(); i < count; i += thread_count()) {
    const float g = gradients[i] * gradient_scale;
    const float m = beta1 * first[i] + (1.0f - beta1) * g;
    const float v = beta2 * second[i] + (1.0f - beta2) * (g * g);
    first[i] = m;
    second[i] = v;
    const float p = keep * parameters[i] - step_size * (m / (sqrtf(v) * root_scale + epsilon));
    parameters[i] = p;
    if (weights) weights[i] = from_float(p);
  }
}
