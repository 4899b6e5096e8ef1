// Looks the functions of the tables up in libraries that were opened at run time.
#include "include/cuda_interface.h"

#include <dlfcn.h>
#include <string.h>

// dlsym gives an object pointer where a function pointer is needed; a copy of the bytes is the
// conversion that C allows.
#define LOAD(field, symbol, result, parameters)    \
  {                                                \
    void *address = dlsym(library, symbol);        \
    if (address == NULL) return symbol;            \
    memcpy(&table->field, &address, sizeof address); \
  }

const char *krait_load_driver(void *library, krait_driver *table) {
  KRAIT_DRIVER_FUNCTIONS(LOAD)
  return NULL;
}

const char *krait_load_nvrtc(void *library, krait_nvrtc *table) {
  KRAIT_NVRTC_FUNCTIONS(LOAD)
  return NULL;
}

const char *krait_load_cublaslt(void *library, krait_cublaslt *table) {
  KRAIT_CUBLASLT_FUNCTIONS(LOAD)
  return NULL;
}

const char *krait_load_cudnn(void *library, krait_cudnn *table) {
  KRAIT_CUDNN_FUNCTIONS(LOAD)
  return NULL;
}
