// Vector loops that Swift, compiled for any x86-64, cannot write with the machine's best
// instructions. Every function picks them at run time. Reductions run in a fixed order.
#ifndef KRAIT_ELEMENTWISE_H
#define KRAIT_ELEMENTWISE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// values[i] = max(values[i], 0)^2; a zero is +0.
void krait_squared_relu(float *values, ptrdiff_t n);
// values[i] *= 2 sqrt(activation[i]).
void krait_times_two_sqrt(float *values, const float *activation, ptrdiff_t n);
// target[i] += source[i].
void krait_add(float *target, const float *source, ptrdiff_t n);

// The largest value; -infinity when n is 0. NaN is passed over.
float krait_maximum(const float *values, ptrdiff_t n);
// values[i] = exp(scale * values[i] - shift); returns the sum.
float krait_exp_shifted(float *values, ptrdiff_t n, float scale, float shift);
// The sum of exp(values[i] - shift), values left alone.
float krait_sum_exp_shifted(const float *values, ptrdiff_t n, float shift);
// values[i] *= factor.
void krait_scale(float *values, ptrdiff_t n, float factor);
// The sum of a[i] * b[i].
float krait_dot(const float *a, const float *b, ptrdiff_t n);
// The sum of values[i]^2 in double precision.
double krait_sum_squares(const float *values, ptrdiff_t n);

// output[i] = input[i] * inverse * weight[i].
void krait_rms_scale(const float *input, const float *weight, float inverse, float *output,
                     ptrdiff_t n);
// One row of RMSNorm's backward pass: weight_gradient[i] += g[i] * x[i] * inverse and
// input_gradient[i] += inverse * (g[i] * w[i] - x[i] * inverse^2 * mean(g * w * x)).
void krait_rms_gradient(const float *gradient, const float *input, const float *weight,
                        float inverse, float *input_gradient, float *weight_gradient,
                        ptrdiff_t n);

// Half-rotated rotary embedding of one head: pairs (i, i + half); sign -1 turns back.
void krait_rotate(float *head, const float *cosines, const float *sines, ptrdiff_t half,
                  float sign);

// One AdamW step; see Compute/Operations/AdamW.swift. step_size is the learning rate over
// 1 - beta1^t, root_scale 1 / sqrt(1 - beta2^t), keep 1 - learning rate * weight decay.
void krait_adamw(float *parameters, const float *gradients, float *first, float *second,
                 ptrdiff_t n, float gradient_scale, float beta1, float beta2, float epsilon,
                 float step_size, float root_scale, float keep);

#ifdef __cplusplus
}
#endif

#endif
