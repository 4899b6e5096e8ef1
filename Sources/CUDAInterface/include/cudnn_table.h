// cuDNN 9's graph interface, libcudnn: attention. Every function but the version returns a status.
#ifndef KRAIT_CUDNN_TABLE_H
#define KRAIT_CUDNN_TABLE_H

#include "driver_table.h"

typedef struct krait_dnn_context *krait_dnn_handle;
typedef void *krait_dnn_descriptor;

#define KRAIT_CUDNN_FUNCTIONS(X)                                                                   \
  X(version, "cudnnGetVersion", size_t, (void))                                                    \
  X(status_text, "cudnnGetErrorString", const char *_Nullable, (int status))                       \
  X(last_error, "cudnnGetLastErrorString", void, (char *_Nonnull text, size_t bytes))              \
  X(create, "cudnnCreate", int, (krait_dnn_handle _Nullable *_Nonnull handle))                     \
  X(destroy, "cudnnDestroy", int, (krait_dnn_handle _Nonnull handle))                              \
  X(set_stream, "cudnnSetStream", int,                                                             \
    (krait_dnn_handle _Nonnull handle, krait_cu_stream _Nullable stream))                          \
  X(descriptor_create, "cudnnBackendCreateDescriptor", int,                                        \
    (int type, krait_dnn_descriptor _Nullable *_Nonnull descriptor))                               \
  X(descriptor_destroy, "cudnnBackendDestroyDescriptor", int,                                      \
    (krait_dnn_descriptor _Nonnull descriptor))                                                    \
  X(attribute_set, "cudnnBackendSetAttribute", int,                                                \
    (krait_dnn_descriptor _Nonnull descriptor, int name, int type, int64_t count,                  \
     const void *_Nonnull elements))                                                               \
  X(attribute_get, "cudnnBackendGetAttribute", int,                                                \
    (krait_dnn_descriptor _Nonnull descriptor, int name, int type, int64_t wanted,                 \
     int64_t *_Nullable count, void *_Nullable elements))                                          \
  X(finalize, "cudnnBackendFinalize", int, (krait_dnn_descriptor _Nonnull descriptor))             \
  X(execute, "cudnnBackendExecute", int,                                                           \
    (krait_dnn_handle _Nonnull handle, krait_dnn_descriptor _Nonnull plan,                         \
     krait_dnn_descriptor _Nonnull pack))

typedef struct {
  KRAIT_CUDNN_FUNCTIONS(KRAIT_TABLE_FIELD)
} krait_cudnn;

// As krait_load_driver.
const char *_Nullable krait_load_cudnn(void *_Nonnull library, krait_cudnn *_Nonnull table);

#endif
