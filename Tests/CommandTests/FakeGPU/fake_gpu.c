// A GPU that is none: memory is the host's, kernels do nothing. For what goes wrong around a GPU,
// on machines without one. Environment variables say what goes wrong:
//   KRAIT_FAKE_CODE          the CUresult of what fails
//   KRAIT_FAKE_INIT          set: cuInit fails
//   KRAIT_FAKE_LOST_WHEN     a path: as soon as it exists, every call fails, for good
//   KRAIT_FAKE_MEMORY        bytes of device memory; 1 GiB by default
//   KRAIT_FAKE_FULL_WHEN     a path: while it exists, there is no memory to be had
//   KRAIT_FAKE_CAPABILITY    compute capability; 80 by default
//   KRAIT_FAKE_CUDNN         the version that cuDNN says it is; 91900 by default
//   KRAIT_FAKE_LOAD          the CUresult of loading compiled kernels
//   KRAIT_FAKE_COMPILE       milliseconds that compiling one file takes
#include "cuda_interface.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t used;

static size_t number(const char *name, size_t otherwise) {
  const char *text = getenv(name);
  return text ? strtoull(text, NULL, 10) : otherwise;
}

int fake_status(void) {
  static int lost;
  const char *path = getenv("KRAIT_FAKE_LOST_WHEN");
  if (path && !lost && access(path, F_OK) == 0) lost = (int)number("KRAIT_FAKE_CODE", 719);
  return lost;
}

int fake_init(unsigned flags) __asm__("cuInit");
int fake_init(unsigned flags) { return getenv("KRAIT_FAKE_INIT") ? (int)number("KRAIT_FAKE_CODE", 999) : 0; }

int fake_driver_version(int *version) __asm__("cuDriverGetVersion");
int fake_driver_version(int *version) { return *version = 13000, 0; }

int fake_error_name(int code, const char **text) __asm__("cuGetErrorName");
int fake_error_name(int code, const char **text) {
  *text = code == 2     ? "CUDA_ERROR_OUT_OF_MEMORY"
          : code == 719 ? "CUDA_ERROR_LAUNCH_FAILED"
          : code == 803 ? "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"
                        : "CUDA_ERROR_UNKNOWN";
  return 0;
}

int fake_error_text(int code, const char **text) __asm__("cuGetErrorString");
int fake_error_text(int code, const char **text) { return *text = "as the test asked", 0; }

int fake_device_count(int *count) __asm__("cuDeviceGetCount");
int fake_device_count(int *count) { return *count = 1, 0; }

int fake_device_name(char *name, int length, int device) __asm__("cuDeviceGetName");
int fake_device_name(char *name, int length, int device) {
  strncpy(name, "a fake GPU", (size_t)length);
  return 0;
}

int fake_device_attribute(int *value, int attribute, int device) __asm__("cuDeviceGetAttribute");
int fake_device_attribute(int *value, int attribute, int device) {
  const int capability = (int)number("KRAIT_FAKE_CAPABILITY", 80);
  *value = attribute == KRAIT_CU_ATTRIBUTE_MAJOR               ? capability / 10
           : attribute == KRAIT_CU_ATTRIBUTE_MINOR             ? capability % 10
           : attribute == KRAIT_CU_ATTRIBUTE_SHARED_PER_BLOCK ? 160 << 10
                                                               : 4;
  return 0;
}

int fake_device_memory(size_t *bytes, int device) __asm__("cuDeviceTotalMem_v2");
int fake_device_memory(size_t *bytes, int device) {
  *bytes = number("KRAIT_FAKE_MEMORY", 1 << 30);
  return 0;
}

int fake_context(krait_cu_context *context, int device) __asm__("cuDevicePrimaryCtxRetain");
int fake_context(krait_cu_context *context, int device) {
  *context = (krait_cu_context)&used;
  return fake_status();
}

int fake_stream(krait_cu_stream *stream, unsigned flags) __asm__("cuStreamCreate");
int fake_stream(krait_cu_stream *stream, unsigned flags) {
  *stream = (krait_cu_stream)&used;
  return fake_status();
}

int fake_event(krait_cu_event *event, unsigned flags) __asm__("cuEventCreate");
int fake_event(krait_cu_event *event, unsigned flags) {
  *event = (krait_cu_event)&used;
  return fake_status();
}

int fake_memory_info(size_t *left, size_t *total) __asm__("cuMemGetInfo_v2");
int fake_memory_info(size_t *left, size_t *total) {
  *total = number("KRAIT_FAKE_MEMORY", 1 << 30);
  *left = *total > used ? *total - used : 0;
  return fake_status();
}

// The size stands before the memory itself.
int fake_allocate(uint64_t *address, size_t bytes) __asm__("cuMemAlloc_v2");
int fake_allocate(uint64_t *address, size_t bytes) {
  const char *full = getenv("KRAIT_FAKE_FULL_WHEN");
  if (full && access(full, F_OK) == 0) return KRAIT_CU_OUT_OF_MEMORY;
  if (used + bytes > number("KRAIT_FAKE_MEMORY", 1 << 30)) return KRAIT_CU_OUT_OF_MEMORY;
  char *memory = NULL;
  if (fake_status() || posix_memalign((void **)&memory, 256, bytes + 256)) return fake_status();
  memset(memory, 0, bytes + 256);
  *(size_t *)memory = bytes;
  used += bytes;
  *address = (uint64_t)(uintptr_t)(memory + 256);
  return 0;
}

int fake_release(uint64_t address) __asm__("cuMemFree_v2");
int fake_release(uint64_t address) {
  char *memory = (char *)(uintptr_t)address - 256;
  used -= *(size_t *)memory;
  free(memory);
  return fake_status();
}

int fake_host_allocate(void **memory, size_t bytes, unsigned flags) __asm__("cuMemHostAlloc");
int fake_host_allocate(void **memory, size_t bytes, unsigned flags) {
  return posix_memalign(memory, 4096, bytes) ? KRAIT_CU_OUT_OF_MEMORY : fake_status();
}

int fake_host_release(void *memory) __asm__("cuMemFreeHost");
int fake_host_release(void *memory) { return free(memory), fake_status(); }

int fake_to_device(uint64_t to, const void *from, size_t bytes, krait_cu_stream stream) __asm__("cuMemcpyHtoDAsync_v2");
int fake_to_device(uint64_t to, const void *from, size_t bytes, krait_cu_stream stream) {
  memcpy((void *)(uintptr_t)to, from, bytes);
  return fake_status();
}

int fake_to_host(void *to, uint64_t from, size_t bytes, krait_cu_stream stream) __asm__("cuMemcpyDtoHAsync_v2");
int fake_to_host(void *to, uint64_t from, size_t bytes, krait_cu_stream stream) {
  memcpy(to, (void *)(uintptr_t)from, bytes);
  return fake_status();
}

int fake_module(krait_cu_module *module, const void *image) __asm__("cuModuleLoadData");
int fake_module(krait_cu_module *module, const void *image) {
  const int refused = (int)number("KRAIT_FAKE_LOAD", 0);
  *module = (krait_cu_module)&used;
  return refused ? refused : fake_status();
}

int fake_function(krait_cu_function *function, krait_cu_module module, const char *name) __asm__("cuModuleGetFunction");
int fake_function(krait_cu_function *function, krait_cu_module module, const char *name) {
  *function = (krait_cu_function)&used;
  return fake_status();
}

int fake_compiler_version(int *major, int *minor) __asm__("nvrtcVersion");
int fake_compiler_version(int *major, int *minor) { return *major = 13, *minor = 0; }

int fake_architecture_count(int *count) __asm__("nvrtcGetNumSupportedArchs");
int fake_architecture_count(int *count) { return *count = 1, 0; }

int fake_architectures(int *list) __asm__("nvrtcGetSupportedArchs");
int fake_architectures(int *list) { return *list = 80, 0; }

int fake_create(krait_nvrtc_program *program, const char *source, const char *name, int headers,
                const char *const *texts, const char *const *names) __asm__("nvrtcCreateProgram");
int fake_create(krait_nvrtc_program *program, const char *source, const char *name, int headers,
                const char *const *texts, const char *const *names) {
  *program = (krait_nvrtc_program)&used;
  return 0;
}

int fake_compile(krait_nvrtc_program program, int count, const char *const *options) __asm__("nvrtcCompileProgram");
int fake_compile(krait_nvrtc_program program, int count, const char *const *options) {
  usleep((useconds_t)number("KRAIT_FAKE_COMPILE", 0) * 1000);
  return 0;
}

int fake_cubin_size(krait_nvrtc_program program, size_t *bytes) __asm__("nvrtcGetCUBINSize");
int fake_cubin_size(krait_nvrtc_program program, size_t *bytes) { return *bytes = 4, 0; }

int fake_cubin(krait_nvrtc_program program, char *code) __asm__("nvrtcGetCUBIN");
int fake_cubin(krait_nvrtc_program program, char *code) { return memcpy(code, "fake", 4), 0; }

int fake_ptx_size(krait_nvrtc_program program, size_t *bytes) __asm__("nvrtcGetPTXSize");
int fake_ptx_size(krait_nvrtc_program program, size_t *bytes) { return *bytes = 4, 0; }

int fake_ptx(krait_nvrtc_program program, char *code) __asm__("nvrtcGetPTX");
int fake_ptx(krait_nvrtc_program program, char *code) { return memcpy(code, "ptx", 4), 0; }

size_t fake_attention_version(void) __asm__("cudnnGetVersion");
size_t fake_attention_version(void) { return number("KRAIT_FAKE_CUDNN", 91900); }
