// Every function of the driver, the run-time compiler, cuBLASLt and cuDNN, doing nothing: all symbols are there.
// What fake_gpu.c defines takes the place of these.
#include "cuda_interface.h"

int fake_status(void);

// The name of a stub never meets the linker: the label after it does.
#define DRIVER_STUB(field, symbol, result, parameters) STUB(driver_##field, symbol, result, parameters)
#define NVRTC_STUB(field, symbol, result, parameters) STUB(nvrtc_##field, symbol, result, parameters)
#define PRODUCTS_STUB(field, symbol, result, parameters) STUB(products_##field, symbol, result, parameters)
#define ATTENTION_STUB(field, symbol, result, parameters) STUB(attention_##field, symbol, result, parameters)
#define STUB(name, symbol, result, parameters)                     \
  __attribute__((weak)) result name parameters __asm__(symbol);    \
  result name parameters { return (result)(intptr_t)fake_status(); }

KRAIT_DRIVER_FUNCTIONS(DRIVER_STUB)
KRAIT_NVRTC_FUNCTIONS(NVRTC_STUB)
KRAIT_CUBLASLT_FUNCTIONS(PRODUCTS_STUB)
KRAIT_CUDNN_FUNCTIONS(ATTENTION_STUB)
