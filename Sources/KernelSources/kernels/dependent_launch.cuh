// How a kernel begins: its blocks may be on the GPU before the kernel in front of it in the stream has ended
// (programmatic dependent launch, compute capability 9.0), so that its way there and its set-up take no time.
#pragma once

// Every thread of every kernel calls this before it touches memory that other kernels read or write: it waits until
// the kernel in front has ended and what it wrote can be seen. That kernel had waited likewise, so all before it have
// ended too. Then it lets the next kernel in, as soon as all blocks of this one are on the GPU or done: none of them
// can be kept out by blocks that wait. A kernel that is launched without the attribute passes through.
__device__ __forceinline__ void begin_kernel() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;\ngriddepcontrol.launch_dependents;" ::: "memory");
#endif
}
