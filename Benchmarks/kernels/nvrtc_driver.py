"""NVRTC and the CUDA driver through ctypes: compiles the project's .cu files as `krait` does (our own headers
only, one cubin for the exact architecture) and launches them on PyTorch tensors. Needs NVRTC 13 (pip:
nvidia-cuda-nvrtc); launching needs a GPU and PyTorch."""
import ctypes, glob, os, re, sys

KERNELS = os.environ.get("KRAIT_KERNELS") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "../../Sources/KernelSources/kernels")


def _nvrtc():
    for folder in sys.path:
        for found in sorted(glob.glob(os.path.join(folder, "nvidia/*/lib/libnvrtc-builtins.so.1?.?"))):
            ctypes.CDLL(found)  # before NVRTC, which opens it by its bare name
            return ctypes.CDLL(os.path.join(os.path.dirname(found), "libnvrtc.so.13"))
    return ctypes.CDLL("libnvrtc.so.13")


def compile(path, arch="sm_90a", defines=()):
    """Returns (cubin, log) of one .cu file; every .cuh of the kernel folder is an in-memory header."""
    rtc = _nvrtc()
    names = [os.path.relpath(p, KERNELS) for p in glob.glob(KERNELS + "/**/*.cuh", recursive=True)]
    sources = [open(os.path.join(KERNELS, n), "rb").read() for n in names]
    strings = lambda items: (ctypes.c_char_p * len(items))(*items)
    program = ctypes.c_void_p()
    rtc.nvrtcCreateProgram(ctypes.byref(program), open(os.path.join(KERNELS, path), "rb").read(), path.encode(),
                           len(names), strings(sources), strings([n.encode() for n in names]))
    options = [b"-arch=" + arch.encode(), b"--std=c++17", b"-default-device", b"--ptxas-options=-v", b"-lineinfo"] + [d.encode() for d in defines]
    result = rtc.nvrtcCompileProgram(program, len(options), strings(options))
    size = ctypes.c_size_t()
    rtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    rtc.nvrtcGetProgramLog(program, log)
    log = log.value.decode()
    if result:
        raise SystemExit(f"{path}: NVRTC error {result}\n{log}")
    rtc.nvrtcGetCUBINSize(program, ctypes.byref(size))
    cubin = ctypes.create_string_buffer(size.value)
    rtc.nvrtcGetCUBIN(program, cubin)
    return cubin.raw, log


def resources(log):
    """[(kernel, registers, spilled bytes)] from the verbose log of ptxas, and any warning about wgmma."""
    rows, name, spill = [], None, 0
    for line in log.splitlines():
        if m := re.search(r"Compiling entry function '(\w+)'", line): name = m[1]
        if m := re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line): spill = int(m[1]) + int(m[2])
        if m := re.search(r"Used (\d+) registers", line): rows.append((name, int(m[1]), spill))
    return rows, [l for l in log.splitlines() if "C75" in l or "warning" in l.lower()]


class Attribute(ctypes.Structure):
    _fields_ = [("id", ctypes.c_uint32), ("pad", ctypes.c_uint32), ("value", ctypes.c_uint8 * 64)]


class Config(ctypes.Structure):
    _fields_ = [("grid", ctypes.c_uint32 * 3), ("block", ctypes.c_uint32 * 3), ("shared", ctypes.c_uint32),
                ("stream", ctypes.c_void_p), ("attributes", ctypes.POINTER(Attribute)), ("count", ctypes.c_uint32)]


class Module:
    """The kernels of one .cu file on the current device."""

    def __init__(self, path, defines=()):
        import torch
        torch.cuda.init(); torch.zeros(1, device="cuda")
        self.cu = ctypes.CDLL("libcuda.so.1")
        self.cubin, self.log = compile(path, defines=defines)
        self.module = ctypes.c_void_p()
        self.check(self.cu.cuModuleLoadData(ctypes.byref(self.module), self.cubin))
        self.functions = {}

    def check(self, code):
        if code: raise RuntimeError(f"CUDA driver error {code}")

    def map(self, tensor, box_columns, box_rows):
        """A 128-byte-swizzled tensor map of a row-major bf16 matrix."""
        buffer = ctypes.create_string_buffer(128 + 128)
        address = (ctypes.addressof(buffer) + 127) // 128 * 128
        rows, columns = tensor.shape
        dims, strides = (ctypes.c_uint64 * 2)(columns, rows), (ctypes.c_uint64 * 1)(tensor.stride(0) * 2)
        box, steps = (ctypes.c_uint32 * 2)(box_columns, box_rows), (ctypes.c_uint32 * 2)(1, 1)
        self.check(self.cu.cuTensorMapEncodeTiled(ctypes.c_void_p(address), 9, 2, ctypes.c_void_p(tensor.data_ptr()),
                                                  dims, strides, box, steps, 0, 3, 2, 0))
        return (buffer, address)

    def active_clusters(self, name, size, threads, shared):
        """Clusters of `size` blocks of a kernel that run at once."""
        f, count = ctypes.c_void_p(), ctypes.c_int()
        self.check(self.cu.cuModuleGetFunction(ctypes.byref(f), self.module, name.encode()))
        self.check(self.cu.cuFuncSetAttribute(f, 8, shared))
        config, attribute = Config(), Attribute(id=4)
        config.grid[:], config.block[:], config.shared = [size * 132, 1, 1], [threads, 1, 1], shared
        ctypes.memmove(attribute.value, (ctypes.c_uint32 * 3)(size, 1, 1), 12)
        config.attributes, config.count = ctypes.pointer(attribute), 1
        self.check(self.cu.cuOccupancyMaxActiveClusters(ctypes.byref(count), f, ctypes.byref(config)))
        return count.value

    def launch(self, name, grid, block, shared, arguments, dependent=False):
        """arguments: tensors (or None), tensor maps, ints (32 bits) and ctypes values."""
        import torch
        if name not in self.functions:
            f = ctypes.c_void_p()
            self.check(self.cu.cuModuleGetFunction(ctypes.byref(f), self.module, name.encode()))
            self.check(self.cu.cuFuncSetAttribute(f, 8, shared))
            self.functions[name] = f
        held, pointers = [], []
        for a in arguments:
            if isinstance(a, tuple): pointers.append(a[1]); continue
            v = (ctypes.c_void_p(a.data_ptr() if a is not None else 0) if a is None or isinstance(a, torch.Tensor)
                 else ctypes.c_int(a) if isinstance(a, int) else a)
            held.append(v); pointers.append(ctypes.addressof(v))
        config = Config()
        config.grid[:] = [grid, 1, 1] if isinstance(grid, int) else grid
        config.block[:] = [block, 1, 1]
        config.shared, config.stream = shared, torch.cuda.current_stream().cuda_stream
        if dependent:
            attribute = Attribute(id=6); attribute.value[0] = 1
            config.attributes, config.count = ctypes.pointer(attribute), 1
        self.check(self.cu.cuLaunchKernelEx(ctypes.byref(config), self.functions[name],
                                            (ctypes.c_void_p * len(pointers))(*pointers), None))


if __name__ == "__main__":  # compile only: registers, spills, warnings; no GPU needed
    failed = False
    for path in sys.argv[1:]:
        rows, warnings = resources(compile(path)[1])
        for name, registers, spill in rows:
            print(f"{path}: {name}: {registers} registers, {spill} bytes spilled")
            failed |= spill > 0
        for w in warnings: print(w)
        failed |= bool(warnings)
    sys.exit(failed)
