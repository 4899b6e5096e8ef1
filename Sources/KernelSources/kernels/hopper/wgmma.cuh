// wgmma: D[64 x N] fp32 in registers of a warpgroup, A and B bf16 in swizzled shared memory.
//
// Register i of thread t (warp w = t / 32 of 4, lane l) holds row 16 w + l / 4 + 8 ((i / 2) mod 2),
// column 8 (i / 4) + 2 (l mod 4) + i mod 2.
#pragma once
#include "hopper/types.cuh"

DEV void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
DEV void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int N> DEV void wgmma_wait() { asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory"); }
// The compiler may not move reads or writes of x across this point.
DEV void pin(float& x) { asm volatile("" : "+f"(x)::"memory"); }
DEV void pin(u32& x) { asm volatile("" : "+r"(x)::"memory"); }

#define ACC8(d, i) \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define ACC32(d, i) ACC8(d, i), ACC8(d, i + 8), ACC8(d, i + 16), ACC8(d, i + 24)
#define REG32_0 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31"
#define REG32_32 "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"
#define REG32_64 "%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79,%80,%81,%82,%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95"
#define REG32_96 "%96,%97,%98,%99,%100,%101,%102,%103,%104,%105,%106,%107,%108,%109,%110,%111,%112,%113,%114,%115,%116,%117,%118,%119,%120,%121,%122,%123,%124,%125,%126,%127"

// D[64 x 256] (+)= A[64 x 16] B[16 x 256]; accumulate == 0 overwrites D. TA, TB: 0 K-major, 1 MN-major.
template <int TA, int TB>
DEV void wgmma_m64n256k16(float (&d)[128], u64 a, u64 b, int accumulate) {
  asm volatile(
      "{\n.reg .pred p;\nsetp.ne.b32 p, %130, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 "
      "{" REG32_0 "," REG32_32 "," REG32_64 "," REG32_96 "}, %128, %129, p, 1, 1, %131, %132;\n}\n"
      : ACC32(d, 0), ACC32(d, 32), ACC32(d, 64), ACC32(d, 96)
      : "l"(a), "l"(b), "r"(accumulate), "n"(TA), "n"(TB));
}
// The same of e4m3, both K-major, 32 deep: 32 bytes of a row as in the 16 of bf16.
DEV void wgmma_e4m3_m64n256k32(float (&d)[128], u64 a, u64 b, int accumulate) {
  asm volatile(
      "{\n.reg .pred p;\nsetp.ne.b32 p, %130, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n256k32.f32.e4m3.e4m3 "
      "{" REG32_0 "," REG32_32 "," REG32_64 "," REG32_96 "}, %128, %129, p, 1, 1;\n}\n"
      : ACC32(d, 0), ACC32(d, 32), ACC32(d, 64), ACC32(d, 96)
      : "l"(a), "l"(b), "r"(accumulate));
}
template <int TA, int TB>
DEV void wgmma_m64n192k16(float (&d)[96], u64 a, u64 b, int accumulate) {
  asm volatile(
      "{\n.reg .pred p;\nsetp.ne.b32 p, %98, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n192k16.f32.bf16.bf16 "
      "{" REG32_0 "," REG32_32 "," REG32_64 "}, %96, %97, p, 1, 1, %99, %100;\n}\n"
      : ACC32(d, 0), ACC32(d, 32), ACC32(d, 64)
      : "l"(a), "l"(b), "r"(accumulate), "n"(TA), "n"(TB));
}
template <int TA, int TB>
DEV void wgmma_m64n128k16(float (&d)[64], u64 a, u64 b, int accumulate) {
  asm volatile(
      "{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
      "{" REG32_0 "," REG32_32 "}, %64, %65, p, 1, 1, %67, %68;\n}\n"
      : ACC32(d, 0), ACC32(d, 32)
      : "l"(a), "l"(b), "r"(accumulate), "n"(TA), "n"(TB));
}
template <int TA, int TB>
DEV void wgmma_m64n64k16(float (&d)[32], u64 a, u64 b, int accumulate) {
  asm volatile(
      "{\n.reg .pred p;\nsetp.ne.b32 p, %34, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" REG32_0 "}, %32, %33, p, 1, 1, %35, %36;\n}\n"
      : ACC32(d, 0)
      : "l"(a), "l"(b), "r"(accumulate), "n"(TA), "n"(TB));
}
// D[64 x 256] (+)= A[64 x 32] B[32 x 256], A 2:4 sparse and stored as 64 x 16, both K-major. The register of positions
// is read while the product runs. Four bits for every four values of A: where the first kept one lies, and the second.
// SELECT 0: lanes 0 and 1 of each four hold them, 1: lanes 2 and 3; the even lane those of columns 0 to 15, the odd one
// the rest; the low half those of row 16 w + l / 4, the high half those of the row 8 below.
template <int SELECT>
DEV void wgmma_sparse_m64n256k32(float (&d)[128], u64 a, u64 b, u32 positions, int accumulate) {
  asm volatile(
      "{\n.reg .pred p;\nsetp.ne.b32 p, %131, 0;\n"
      "wgmma.mma_async.sp.sync.aligned.m64n256k32.f32.bf16.bf16 "
      "{" REG32_0 "," REG32_32 "," REG32_64 "," REG32_96 "}, %128, %129, %130, %132, p, 1, 1, 0, 0;\n}\n"
      : ACC32(d, 0), ACC32(d, 32), ACC32(d, 64), ACC32(d, 96)
      : "l"(a), "l"(b), "r"(positions), "r"(accumulate), "n"(SELECT));
}
// The same of e4m3, 64 deep, A stored as 64 x 32. All lanes hold positions, of eight fours: those of row
// 16 w + l / 4, odd lanes of the row 8 below; lanes 2 and 3 of each four those of columns 32 to 63.
DEV void wgmma_sparse_e4m3_m64n256k64(float (&d)[128], u64 a, u64 b, u32 positions, int accumulate) {
  asm volatile(
      "{\n.reg .pred p;\nsetp.ne.b32 p, %131, 0;\n"
      "wgmma.mma_async.sp.sync.aligned.m64n256k64.f32.e4m3.e4m3 "
      "{" REG32_0 "," REG32_32 "," REG32_64 "," REG32_96 "}, %128, %129, %130, 0, p, 1, 1;\n}\n"
      : ACC32(d, 0), ACC32(d, 32), ACC32(d, 64), ACC32(d, 96)
      : "l"(a), "l"(b), "r"(positions), "r"(accumulate));
}
