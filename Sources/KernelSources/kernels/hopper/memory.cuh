// Barriers, copies and conversions: one function per PTX instruction.
#pragma once
#include "hopper/types.cuh"

// ---- conversions

DEV float low_f32(u32 pair) { return __uint_as_float(pair << 16); }
DEV float high_f32(u32 pair) { return __uint_as_float(pair & 0xffff0000u); }
DEV u32 pack_bf16(float low, float high) {  // the first source of the instruction lands in the high half
  u32 r;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
  return r;
}
DEV float sqrt_approximate(float x) {
  float r;
  asm("sqrt.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
  return r;
}

// ---- shared memory

DEV u32 shared_address(const void* p) { return (u32)__cvta_generic_to_shared(p); }
DEV void stmatrix_x4(u32 address, u32 r0, u32 r1, u32 r2, u32 r3) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared::cta.b16 [%0], {%1, %2, %3, %4};" ::"r"(address),
               "r"(r0), "r"(r1), "r"(r2), "r"(r3)
               : "memory");
}
// Each 8 x 8 part transposed.
DEV void stmatrix_transposed_x4(u32 address, u32 r0, u32 r1, u32 r2, u32 r3) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared::cta.b16 [%0], {%1, %2, %3, %4};" ::"r"(address),
               "r"(r0), "r"(r1), "r"(r2), "r"(r3)
               : "memory");
}
DEV u32 load_shared(u32 address) {
  u32 r;
  asm volatile("ld.shared.u32 %0, [%1];" : "=r"(r) : "r"(address) : "memory");
  return r;
}
DEV void load_shared_pair(u32 address, u32& a, u32& b) {
  asm volatile("ld.shared.v2.u32 {%0, %1}, [%2];" : "=r"(a), "=r"(b) : "r"(address) : "memory");
}
DEV void ldmatrix_x4(u32 (&r)[4], u32 address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared::cta.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

// ---- mbarriers: phases start at parity 0; a fresh barrier counts as having completed parity 1

DEV void mbar_init(u32 bar, u32 arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(bar), "r"(arrivals) : "memory");
}
DEV void fence_mbar_init() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }
// The barriers of a ring of stages, by one thread: `writers` arrivals, and the bytes they announce, fill a stage, `readers`
// arrivals free it.
template <int STAGES>
DEV void init_stages(u32 full, u32 empty, u32 readers, u32 writers = 1) {
  for (int s = 0; s < STAGES; ++s) {
    mbar_init(full + 8 * s, writers);
    mbar_init(empty + 8 * s, readers);
  }
  fence_mbar_init();
}
DEV void fence_proxy_async() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
DEV void mbar_arrive(u32 bar) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(bar) : "memory");
}
DEV void mbar_arrive_expect_tx(u32 bar, u32 bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(bar), "r"(bytes) : "memory");
}
// The same barrier in another block of the cluster. Only wgmma has read the stage that this frees, so
// the default semantics suffice (`.release.cluster` would be a full memory barrier).
DEV void mbar_arrive_cluster(u32 bar, u32 rank) {
  asm volatile(
      "{\n.reg .b32 a;\nmapa.shared::cluster.u32 a, %0, %1;\n"
      "mbarrier.arrive.shared::cluster.b64 _, [a];\n}\n" ::"r"(bar),
      "r"(rank)
      : "memory");
}
// An arrival (counted in mbar_init) that fires when this thread's earlier cp.async have landed.
DEV void cp_async_arrive(u32 bar) {
  asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(bar) : "memory");
}
DEV bool mbar_try_wait(u32 bar, u32 parity) {
  u32 done;
  asm volatile(
      "{\n.reg .pred p;\nmbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
      "selp.u32 %0, 1, 0, p;\n}\n"
      : "=r"(done)
      : "r"(bar), "r"(parity)
      : "memory");
  return done != 0;
}
DEV void mbar_wait(u32 bar, u32 parity) {
  while (!mbar_try_wait(bar, parity)) {
  }
}

// ---- copies

// 16 bytes of global to shared memory; L2 fetches 256 bytes, which the next stage of a row wants.
DEV void cp_async16(u32 dst, const void* src) {
  asm volatile("cp.async.cg.shared::cta.global.L2::256B [%0], [%1], 16;" ::"r"(dst), "l"(src) : "memory");
}
DEV void tma_prefetch_map(const TensorMap* m) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(m) : "memory");
}
// Bytes in a row; addresses and size multiples of 16.
DEV void bulk_load(u32 dst, const void* src, u32 bytes, u32 bar) {
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(dst),
               "l"(src), "r"(bytes), "r"(bar)
               : "memory");
}
// x: column (fastest), y: row. Outside of the tensor: zeros, and the full box counts as received.
DEV void tma_load_2d(u32 dst, const TensorMap* m, int x, int y, u32 bar) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], "
      "[%4];" ::"r"(dst),
      "l"(m), "r"(x), "r"(y), "r"(bar)
      : "memory");
}
// To the L2 cache only.
DEV void tma_prefetch_2d(const TensorMap* m, int x, int y) {
  asm volatile("cp.async.bulk.prefetch.tensor.2d.L2.global [%0, {%1, %2}];" ::"l"(m), "r"(x), "r"(y) : "memory");
}
// To the same offset, and signalling the same barrier, in every block of the mask.
DEV void tma_load_2d_multicast(u32 dst, const TensorMap* m, int x, int y, u32 bar, u16 mask) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster "
      "[%0], [%1, {%2, %3}], [%4], %5;" ::"r"(dst),
      "l"(m), "r"(x), "r"(y), "r"(bar), "h"(mask)
      : "memory");
}
// Shared memory to a box of a matrix; what lies outside of the matrix is not written. The thread that commits a
// group is the one that can wait for it.
DEV void tma_store_2d(const TensorMap* m, u32 src, int x, int y) {
  asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%1, %2}], [%3];" ::"l"(m), "r"(x), "r"(y),
               "r"(src)
               : "memory");
}
DEV void bulk_commit() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }
// Until at most N groups still read their shared memory.
template <int N> DEV void bulk_wait_read() { asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(N) : "memory"); }
// The same two with an L2 policy, 64 bits that createpolicy gives for all of the data.
constexpr u64 EVICT_FIRST = 0x12F0000000000000ull, EVICT_LAST = 0x14F0000000000000ull;
DEV void tma_load_2d(u32 dst, const TensorMap* m, int x, int y, u32 bar, u64 policy) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint "
      "[%0], [%1, {%2, %3}], [%4], %5;" ::"r"(dst),
      "l"(m), "r"(x), "r"(y), "r"(bar), "l"(policy)
      : "memory");
}
DEV void tma_load_2d_multicast(u32 dst, const TensorMap* m, int x, int y, u32 bar, u16 mask, u64 policy) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster.L2::cache_hint "
      "[%0], [%1, {%2, %3}], [%4], %5, %6;" ::"r"(dst),
      "l"(m), "r"(x), "r"(y), "r"(bar), "h"(mask), "l"(policy)
      : "memory");
}
// Bytes of shared memory to global memory, or added to fp32 there; addresses and size multiples of 16.
DEV void bulk_store(float* p, u32 src, u32 bytes) {
  asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" ::"l"(p), "r"(src), "r"(bytes) : "memory");
}
DEV void bulk_add(float* p, u32 src, u32 bytes, u64 policy) {
  asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group.L2::cache_hint.add.f32 [%0], [%1], %2, %3;" ::"l"(p),
               "r"(src), "r"(bytes), "l"(policy)
               : "memory");
}
// Predicated, not branched around: an epilogue has one of these after the other.
DEV void st_v4_if(bool condition, void* p, u32 a, u32 b, u32 c, u32 d) {
  asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %5, 0;\n@p st.global.v4.u32 [%0], {%1, %2, %3, %4};\n}\n" ::"l"(p), "r"(a),
               "r"(b), "r"(c), "r"(d), "r"((int)condition)
               : "memory");
}
// ---- warps, blocks, clusters

template <int R> DEV void registers_decrease() { asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(R)); }
template <int R> DEV void registers_increase() { asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(R)); }
DEV bool elect_one() {  // one lane of a converged warp
  u32 p;
  asm volatile("{\n.reg .pred q;\nelect.sync _|q, 0xffffffff;\nselp.u32 %0, 1, 0, q;\n}\n" : "=r"(p));
  return p != 0;
}
DEV void bar_sync(u32 id, u32 threads) { asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory"); }
DEV void bar_arrive(u32 id, u32 threads) { asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory"); }
DEV int warp_uniform(int x) { return __shfl_sync(0xffffffffu, x, 0); }
DEV u32 cluster_rank() {
  u32 r;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(r));
  return r;
}
DEV void cluster_sync() {
  asm volatile("barrier.cluster.arrive.relaxed.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}
