// The GPU kernels' sources, embedded in the binary.
#ifndef KRAIT_KERNEL_SOURCES_H
#define KRAIT_KERNEL_SOURCES_H

#include <stddef.h>

typedef struct {
  const char *_Nonnull name;  // As an #include names it: "RMSNorm.cu", "reduce.cuh".
  const char *_Nonnull text;  // Ends with a zero byte.
} krait_kernel_source;

// How many there are, and one of them.
size_t krait_kernel_source_count(void);
krait_kernel_source krait_kernel_source_at(size_t index);

#endif
