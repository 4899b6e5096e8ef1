// What is done to a pair of products before it is rounded and stored.
#pragma once
#include "hopper/memory.cuh"

enum Epilogue { STORE = 0, SQUARED_RELU = 1, TIMES_TWO_SQRT = 2, ADD = 3, ROTARY_64 = 4, ROTARY_128 = 5 };

// The width of the heads that an epilogue turns before it stores them; 0: none.
DEV constexpr int turned_head(int epilogue) { return epilogue == ROTARY_64 ? 64 : epilogue == ROTARY_128 ? 128 : 0; }

// `side`: the pair of bfloat16 that TIMES_TWO_SQRT takes the root of, or that ADD adds.
template <int EPILOGUE> DEV void apply_epilogue(float& x, float& y, u32 side) {
  if (EPILOGUE == SQUARED_RELU) {
    x = fmaxf(x, 0.f), y = fmaxf(y, 0.f);
    x *= x, y *= y;
  }
  if (EPILOGUE == TIMES_TWO_SQRT) {
    // Adding zero makes -0 of what is masked 0: signs that toggle cost power in the products that read it.
    x = fmaf(x, 2.f * sqrt_approximate(low_f32(side)), 0.f), y = fmaf(y, 2.f * sqrt_approximate(high_f32(side)), 0.f);
  }
  if (EPILOGUE == ADD) x += low_f32(side), y += high_f32(side);
}
