// NVIDIA's run-time compiler, libnvrtc. 0 is success; 6 means that the log says what is wrong.
#ifndef KRAIT_NVRTC_TABLE_H
#define KRAIT_NVRTC_TABLE_H

#include "function_table.h"

typedef struct krait_nvrtc_program *krait_nvrtc_program;

#define KRAIT_NVRTC_FUNCTIONS(X)                                                                   \
  X(version, "nvrtcVersion", int, (int *_Nonnull major, int *_Nonnull minor))                      \
  X(error_text, "nvrtcGetErrorString", const char *_Nullable, (int code))                          \
  X(architecture_count, "nvrtcGetNumSupportedArchs", int, (int *_Nonnull count))                   \
  X(architectures, "nvrtcGetSupportedArchs", int, (int *_Nonnull architectures))                   \
  X(create, "nvrtcCreateProgram", int,                                                             \
    (krait_nvrtc_program _Nullable *_Nonnull program, const char *_Nonnull source,                 \
     const char *_Nonnull name, int headers, const char *_Nullable const *_Nullable header_sources,          \
     const char *_Nullable const *_Nullable header_names))                                                   \
  X(destroy, "nvrtcDestroyProgram", int, (krait_nvrtc_program _Nullable *_Nonnull program))        \
  X(compile, "nvrtcCompileProgram", int,                                                           \
    (krait_nvrtc_program _Nonnull program, int count, const char *_Nullable const *_Nonnull options))        \
  X(log_size, "nvrtcGetProgramLogSize", int,                                                       \
    (krait_nvrtc_program _Nonnull program, size_t *_Nonnull bytes))                                \
  X(log, "nvrtcGetProgramLog", int, (krait_nvrtc_program _Nonnull program, char *_Nonnull log))    \
  X(cubin_size, "nvrtcGetCUBINSize", int,                                                          \
    (krait_nvrtc_program _Nonnull program, size_t *_Nonnull bytes))                                \
  X(cubin, "nvrtcGetCUBIN", int, (krait_nvrtc_program _Nonnull program, char *_Nonnull code))      \
  X(ptx_size, "nvrtcGetPTXSize", int,                                                              \
    (krait_nvrtc_program _Nonnull program, size_t *_Nonnull bytes))                                \
  X(ptx, "nvrtcGetPTX", int, (krait_nvrtc_program _Nonnull program, char *_Nonnull code))

typedef struct {
  KRAIT_NVRTC_FUNCTIONS(KRAIT_TABLE_FIELD)
} krait_nvrtc;

// As krait_load_driver.
const char *_Nullable krait_load_nvrtc(void *_Nonnull library, krait_nvrtc *_Nonnull table);

#endif
