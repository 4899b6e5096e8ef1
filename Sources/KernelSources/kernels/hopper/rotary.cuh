// Rotary embedding of products that still lie in the registers of a warp.
#pragma once
#include "hopper/types.cuh"

struct HeadTurn {
  const float* table;  // [positions, head width]: cosines, then sines
  i64 stride;
  int sequence, first;  // a row's position: first + row % sequence
  int columns;          // how many turn, whole heads from column 0 on
};

// `acc`: what a warp has of 16 rows from `row` on and of 2 N columns, whole heads, from `column` on, as in wgmma.cuh: a
// thread has dimension j and j + HEAD / 2 of a head both.
template <int HEAD, int N>
DEV void turn_heads(float (&acc)[N], const HeadTurn& turn, int row, int column, int lane) {
  static_assert(2 * N % HEAD == 0, "whole heads");
  const float* angles[2];
#pragma unroll
  for (int r = 0; r < 2; ++r)
    angles[r] = turn.table + (turn.first + (row + (lane >> 2) + 8 * r) % turn.sequence) * turn.stride + 2 * (lane & 3);
#pragma unroll
  for (int eight = 0; eight < HEAD / 16; ++eight) {  // dimensions
    float2 cosine[2], sine[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      cosine[r] = *(const float2*)(angles[r] + 8 * eight);
      sine[r] = *(const float2*)(angles[r] + 8 * eight + HEAD / 2);
    }
#pragma unroll
    for (int head = 0; head < 2 * N / HEAD; ++head) {
      if (column + head * HEAD >= turn.columns) break;
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int i = head * (HEAD / 2) + eight * 4 + e;
        const float x = acc[i], y = acc[i + HEAD / 4];
        const float c = e & 1 ? cosine[e >> 1].y : cosine[e >> 1].x, s = e & 1 ? sine[e >> 1].y : sine[e >> 1].x;
        acc[i] = x * c - y * s;
        acc[i + HEAD / 4] = y * c + x * s;
      }
    }
  }
}
