"""Checks and times products 1 and 3 of the dense feed-forward network with their epilogues on a Hopper GPU, beside
the bare product of torch.mm (cuBLAS) and beside cuBLAS with the separate pass of `MatrixMultiply.cu`.

    python3 Benchmarks/kernels/dense_products.py [--check] [--time] [--variants]

Needs a Hopper GPU, PyTorch and NVRTC 13. Every check draws fresh random inputs, poisons the output and compares
with fp32 products of the same bf16 values; NaN never passes."""
import argparse, ctypes, torch
from nvrtc_driver import Module
from sparse_products import SMS, THREADS, error, i64, random, rounds

SHAPES = [(1024, 2048, 8192), (8192, 768, 3072), (16384, 768, 3072), (16384, 2048, 8192), (16384, 4096, 16384)]
NAMES = {"relu": "dense_squared_relu", "sqrt": "dense_two_sqrt"}
SHARED = 229440


def launch(module, epilogue, X, W, A, out, group=None):
    """Clusters of two blocks, 256 x 256 values of the output each; `group` tiles of columns at a time (as in DenseTiles.swift)."""
    T, f, d = X.shape[0], W.shape[0], X.shape[1]
    tiles = -(-T // 256) * -(-f // 256)
    module.launch(NAMES[epilogue], min(tiles, SMS // 2) * 2, THREADS, SHARED, [
        module.map(X, 64, 128), module.map(W, 64, 128), module.map(A, 64, 128), module.map(out, 64, 16), T, f, d, group or (4 if T <= 15 * 256 else 16)])


def finish(module, epilogue, A, out):
    module.launch("finish", 4096, 256, 0, [
        out, i64(out.stride(0)), None, i64(0), A if epilogue == "sqrt" else None, i64(A.stride(0)), i64(out.shape[0]),
        i64(out.shape[1]), 1 if epilogue == "relu" else 2, 0])


def check(module):
    torch.backends.cuda.matmul.allow_tf32 = False
    bad = 0
    for T, d, f in [(1, 8, 8), (300, 136, 520), (1000, 72, 1032), (4099, 768, 3072), (2048, 2056, 8184), (16384, 64, 3072)]:
        X, W, A = random(T, d), random(f, d, scale=0.1), random(T, f).abs()
        h = X.float() @ W.float().t()
        for epilogue, expected in [("relu", h.clamp_min(0) ** 2), ("sqrt", h * 2 * A.float().sqrt())]:
            whole = torch.full((T, f + 8), float("nan"), device="cuda", dtype=torch.bfloat16)
            for _ in range(3): launch(module, epilogue, X, W, A, whole[:, :f])
            torch.cuda.synchronize()
            e, outside = error(whole[:, :f], expected), bool(whole[:, f:].isnan().all())
            ok = e < 6e-3 and outside; bad += not ok
            print(f"  T {T} d {d} f {f} {NAMES[epilogue]}: error {e:.1e}"
                  f"{'' if outside else ', wrote outside'} {'ok' if ok else 'WRONG'}", flush=True)
    print("check:", "all right" if not bad else f"{bad} WRONG", flush=True)
    return bad


def time_all(module, passes, groups):
    for T, d, f in SHAPES:
        X, W, A = random(T, d), random(f, d, scale=0.05), random(T, f).abs()
        out = torch.empty(T, f, device="cuda", dtype=torch.bfloat16)
        bare = lambda: torch.mm(X, W.t(), out=out)
        runs = {"cuBLAS, bare product": bare}
        for e in NAMES:
            runs[f"cuBLAS and a pass, {e}"] = lambda e=e: (bare(), finish(passes, e, A, out))
            for g in groups:
                runs[NAMES[e] + (f", group {g}" if g else "")] = lambda g=g, e=e: launch(module, e, X, W, A, out, g)
        t = rounds(runs)
        print(f"T {T} d {d} f {f}", flush=True)
        for name, ms in t.items():
            print(f"  {name:30s} {ms:.4f} ms {2 * T * d * f / ms / 1e9:.0f} TFLOP/s, "
                  f"x{t['cuBLAS, bare product'] / ms:.3f} of the bare product", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true"); parser.add_argument("--time", action="store_true")
    parser.add_argument("--variants", action="store_true", help="times other groups of tiles beside the default")
    parser.add_argument("--define", action="append", default=[], help="NAME or NAME=VALUE for the kernels")
    a = parser.parse_args()
    print(torch.cuda.get_device_name(0), "torch", torch.__version__, "SMs", SMS, a.define, flush=True)
    module = Module("hopper/dense_product.cu", ["-D" + d for d in a.define])
    if a.check and check(module): raise SystemExit(1)
    if a.time: time_all(module, Module("MatrixMultiply.cu", ["-DKRAIT_BFLOAT16=1"]), (4, 8, 16) if a.variants else (None,))
