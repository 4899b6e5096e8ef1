// The CUDA driver, libcuda.so.1. Every function returns a CUresult: 0 is success.
//
// Symbols whose names are macros in NVIDIA's header carry their version suffix here.
#ifndef KRAIT_DRIVER_TABLE_H
#define KRAIT_DRIVER_TABLE_H

#include "function_table.h"

typedef struct krait_cu_context *krait_cu_context;
typedef struct krait_cu_stream *krait_cu_stream;
typedef struct krait_cu_event *krait_cu_event;
typedef struct krait_cu_module *krait_cu_module;
typedef struct krait_cu_function *krait_cu_function;

// What a strided copy needs: CUDA_MEMCPY2D. Memory types: 1 host, 2 device.
typedef struct {
  size_t source_x, source_y;
  uint32_t source_type;
  const void *_Nullable source_host;
  uint64_t source_device;
  void *_Nullable source_array;
  size_t source_pitch;
  size_t destination_x, destination_y;
  uint32_t destination_type;
  void *_Nullable destination_host;
  uint64_t destination_device;
  void *_Nullable destination_array;
  size_t destination_pitch;
  size_t width_bytes, height;
} krait_cu_copy_2d;

// What a launch with attributes needs: CUlaunchAttribute (a cluster's three sizes, or 1 where a kernel may start before
// the one in front of it has ended), and CUlaunchConfig.
typedef struct {
  uint32_t kind, padding;
  uint32_t values[16];
} krait_cu_launch_attribute;
typedef struct {
  uint32_t grid[3], block[3], shared_bytes;
  krait_cu_stream _Nullable stream;
  const krait_cu_launch_attribute *_Nullable attributes;
  uint32_t attribute_count;
} krait_cu_launch;

enum {
  KRAIT_CU_MEMORY_HOST = 1,
  KRAIT_CU_MEMORY_DEVICE = 2,
  KRAIT_CU_OUT_OF_MEMORY = 2,
  KRAIT_CU_STREAM_NON_BLOCKING = 1,
  KRAIT_CU_EVENT_DEFAULT = 0,
  KRAIT_CU_EVENT_WITHOUT_TIME = 2,
  KRAIT_CU_ATTRIBUTE_MULTIPROCESSORS = 16,
  KRAIT_CU_ATTRIBUTE_MAJOR = 75,
  KRAIT_CU_ATTRIBUTE_MINOR = 76,
  KRAIT_CU_ATTRIBUTE_SHARED_PER_BLOCK = 97,
  KRAIT_CU_FUNCTION_LOCAL_BYTES = 3,
  KRAIT_CU_FUNCTION_DYNAMIC_SHARED = 8,
  KRAIT_CU_LAUNCH_CLUSTER = 4,
  KRAIT_CU_LAUNCH_DEPENDENT = 6,
  KRAIT_CU_TENSOR_MAP_BFLOAT16 = 9,
  KRAIT_CU_TENSOR_MAP_SWIZZLE_128 = 3,
  KRAIT_CU_TENSOR_MAP_PROMOTE_256 = 3,
};

#define KRAIT_DRIVER_FUNCTIONS(X)                                                                  \
  X(init, "cuInit", int, (unsigned flags))                                                         \
  X(driver_version, "cuDriverGetVersion", int, (int *_Nonnull version))                            \
  X(error_name, "cuGetErrorName", int, (int code, const char *_Nullable *_Nonnull text))           \
  X(error_text, "cuGetErrorString", int, (int code, const char *_Nullable *_Nonnull text))         \
  X(device_count, "cuDeviceGetCount", int, (int *_Nonnull count))                                  \
  X(device_get, "cuDeviceGet", int, (int *_Nonnull device, int ordinal))                           \
  X(device_name, "cuDeviceGetName", int, (char *_Nonnull name, int length, int device))            \
  X(device_attribute, "cuDeviceGetAttribute", int,                                                 \
    (int *_Nonnull value, int attribute, int device))                                              \
  X(device_memory, "cuDeviceTotalMem_v2", int, (size_t *_Nonnull bytes, int device))               \
  X(context_retain, "cuDevicePrimaryCtxRetain", int,                                               \
    (krait_cu_context _Nullable *_Nonnull context, int device))                                    \
  X(context_release, "cuDevicePrimaryCtxRelease_v2", int, (int device))                            \
  X(context_set, "cuCtxSetCurrent", int, (krait_cu_context _Nullable context))                     \
  X(memory_info, "cuMemGetInfo_v2", int, (size_t *_Nonnull free, size_t *_Nonnull total))          \
  X(allocate, "cuMemAlloc_v2", int, (uint64_t *_Nonnull address, size_t bytes))                    \
  X(release, "cuMemFree_v2", int, (uint64_t address))                                              \
  X(host_allocate, "cuMemHostAlloc", int,                                                          \
    (void *_Nullable *_Nonnull address, size_t bytes, unsigned flags))                             \
  X(host_release, "cuMemFreeHost", int, (void *_Nonnull address))                                  \
  X(copy_2d, "cuMemcpy2DAsync_v2", int,                                                            \
    (const krait_cu_copy_2d *_Nonnull copy, krait_cu_stream _Nullable stream))                     \
  X(copy_to_device, "cuMemcpyHtoDAsync_v2", int,                                                   \
    (uint64_t to, const void *_Nonnull from, size_t bytes, krait_cu_stream _Nullable stream))      \
  X(copy_to_host, "cuMemcpyDtoHAsync_v2", int,                                                     \
    (void *_Nonnull to, uint64_t from, size_t bytes, krait_cu_stream _Nullable stream))            \
  X(copy_on_device, "cuMemcpyDtoDAsync_v2", int,                                                   \
    (uint64_t to, uint64_t from, size_t bytes, krait_cu_stream _Nullable stream))                  \
  X(fill, "cuMemsetD8Async", int,                                                                  \
    (uint64_t address, unsigned char value, size_t bytes, krait_cu_stream _Nullable stream))       \
  X(fill_2d, "cuMemsetD2D8Async", int,                                                             \
    (uint64_t address, size_t pitch, unsigned char value, size_t width, size_t height,             \
     krait_cu_stream _Nullable stream))                                                            \
  X(stream_create, "cuStreamCreate", int,                                                          \
    (krait_cu_stream _Nullable *_Nonnull stream, unsigned flags))                                  \
  X(stream_destroy, "cuStreamDestroy_v2", int, (krait_cu_stream _Nonnull stream))                  \
  X(stream_synchronize, "cuStreamSynchronize", int, (krait_cu_stream _Nullable stream))            \
  X(event_create, "cuEventCreate", int,                                                            \
    (krait_cu_event _Nullable *_Nonnull event, unsigned flags))                                    \
  X(event_destroy, "cuEventDestroy_v2", int, (krait_cu_event _Nonnull event))                      \
  X(event_record, "cuEventRecord", int,                                                            \
    (krait_cu_event _Nonnull event, krait_cu_stream _Nullable stream))                             \
  X(event_synchronize, "cuEventSynchronize", int, (krait_cu_event _Nonnull event))                 \
  X(event_elapsed, "cuEventElapsedTime", int,                                                      \
    (float *_Nonnull milliseconds, krait_cu_event _Nonnull start, krait_cu_event _Nonnull end))    \
  X(module_load, "cuModuleLoadData", int,                                                          \
    (krait_cu_module _Nullable *_Nonnull module, const void *_Nonnull image))                      \
  X(module_unload, "cuModuleUnload", int, (krait_cu_module _Nonnull module))                       \
  X(module_function, "cuModuleGetFunction", int,                                                   \
    (krait_cu_function _Nullable *_Nonnull function, krait_cu_module _Nonnull module,              \
     const char *_Nonnull name))                                                                   \
  X(function_set, "cuFuncSetAttribute", int,                                                       \
    (krait_cu_function _Nonnull function, int attribute, int value))                               \
  X(function_get, "cuFuncGetAttribute", int,                                                       \
    (int *_Nonnull value, int attribute, krait_cu_function _Nonnull function))                     \
  X(launch, "cuLaunchKernel", int,                                                                 \
    (krait_cu_function _Nonnull function, unsigned grid_x, unsigned grid_y, unsigned grid_z,       \
     unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,                  \
     krait_cu_stream _Nullable stream, void *_Nullable *_Nullable parameters,                      \
     void *_Nullable *_Nullable extra))                                                            \
  X(launch_with_attributes, "cuLaunchKernelEx", int,                                               \
    (const krait_cu_launch *_Nonnull launch, krait_cu_function _Nonnull function,                  \
     void *_Nullable *_Nullable parameters, void *_Nullable *_Nullable extra))                     \
  X(active_clusters, "cuOccupancyMaxActiveClusters", int,                                           \
    (int *_Nonnull count, krait_cu_function _Nonnull function,                                     \
     const krait_cu_launch *_Nonnull launch))                                                      \
  X(tensor_map, "cuTensorMapEncodeTiled", int,                                                     \
    (void *_Nonnull map, int type, uint32_t rank, uint64_t address, const uint64_t *_Nonnull size, \
     const uint64_t *_Nonnull stride_bytes, const uint32_t *_Nonnull box,                          \
     const uint32_t *_Nonnull step, int interleave, int swizzle, int promotion, int fill))

typedef struct {
  KRAIT_DRIVER_FUNCTIONS(KRAIT_TABLE_FIELD)
} krait_driver;

// Fills a table from a library opened with dlopen; returns the first symbol that is missing, or
// null when all are there.
const char *_Nullable krait_load_driver(void *_Nonnull library, krait_driver *_Nonnull table);

#endif
