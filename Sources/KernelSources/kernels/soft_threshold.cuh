// 2:4 soft threshold of four values: what is left of each above the second smallest magnitude.
//
// Include it after a header with the types (element.cuh or hopper/types.cuh).
#pragma once

DEV void shrink_four(const float (&w)[4], float (&shrunk)[4]) {
  float a[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) a[i] = fabsf(w[i]);
  // The second smallest of four: the larger of the two pair minima, or the smaller pair maximum.
  const float threshold = fminf(fmaxf(fminf(a[0], a[1]), fminf(a[2], a[3])),
                                fminf(fmaxf(a[0], a[1]), fmaxf(a[2], a[3])));
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float rest = a[i] - threshold;
    shrunk[i] = rest > 0.0f ? (w[i] < 0.0f ? -rest : rest) : 0.0f;
  }
}
