// NVIDIA's libraries as tables of function pointers: nothing is linked, no toolkit header is used.
#ifndef KRAIT_CUDA_INTERFACE_H
#define KRAIT_CUDA_INTERFACE_H

#include "cublaslt_table.h"
#include "cudnn_table.h"
#include "driver_table.h"
#include "nvrtc_table.h"

#endif
