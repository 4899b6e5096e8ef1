"""Checks and times product 1 with 2:4 sparse weights, relu(X Uᵀ)², on a Hopper GPU, beside dense products.

    python3 Benchmarks/kernels/two_four_products.py [--check] [--time] [--variants]

Needs a Hopper GPU, PyTorch and NVRTC 13; times cuSPARSELt too where PyTorch has it."""
import torch
from nvrtc_driver import Module
from sparse_products import SMS, THREADS, error, i64, random, rounds
import command_line, dense_products

SHARED = 226384


def two_of_four(W):
    """Keeps the two largest of every four values."""
    groups = W.float().abs().view(W.shape[0], -1, 4)
    mask = torch.zeros_like(groups).scatter_(-1, groups.topk(2, -1).indices, 1.0)
    return (W * mask.view_as(W)).bfloat16().contiguous()


def images(U): return torch.empty(-(-U.shape[0] // 128) * -(-U.shape[1] // 64) * 9216, device="cuda", dtype=torch.uint8)


def compress(module, U, image):
    module.launch("two_four_compress", [-(-U.shape[1] // 64), -(-U.shape[0] // 128), 1], 256, 0,
                  [U, i64(U.stride(0)), U.shape[0], U.shape[1], image])


def product(module, image, X, f, out, group):
    (T, d), tiles = X.shape, -(-X.shape[0] // 256) * -(-f // 256)
    module.launch("two_four_squared_relu", min(tiles, SMS // 2) * 2, THREADS, SHARED,
                  [image, module.map(X, 64, 128), module.map(out, 64, 32), T, f, d, group])


def check(module):
    torch.backends.cuda.matmul.allow_tf32 = False
    bad = 0
    for T, d, f in [(32, 64, 64), (300, 136, 520), (1000, 72, 200), (4099, 768, 3072), (2048, 2048, 8192)]:
        X, U = random(T, d), two_of_four(random(f, d, scale=0.1))
        U[:, ::3] = 0  # fours with one value or none
        out = torch.full((T, f), float("nan"), device="cuda", dtype=torch.bfloat16)
        image = images(U)
        compress(module, U, image); product(module, image, X, f, out, 8)
        torch.cuda.synchronize()
        e = error(out, (X.float() @ U.float().t()).clamp_min(0) ** 2)
        bad += not e < 6e-3
        print(f"  T {T} d {d} f {f}: error {e:.1e} {'ok' if e < 6e-3 else 'WRONG'}", flush=True)
    print("check:", "all right" if not bad else f"{bad} WRONG", flush=True)
    return bad


def time_all(module, groups):
    dense = Module("hopper/dense_product.cu")
    for T, d, f in dense_products.SHAPES:
        X, U = random(T, d), two_of_four(random(f, d, scale=0.05))
        out, image = torch.empty(T, f, device="cuda", dtype=torch.bfloat16), images(U)
        compress(module, U, image)
        runs = {"cuBLAS, bare product": lambda: torch.mm(X, U.t(), out=out),
                "dense, squared ReLU": lambda: dense_products.launch(dense, "relu", X, U, out, out),
                "2:4, compression": lambda: compress(module, U, image)}
        for g in groups: runs[f"2:4, squared ReLU, group {g}"] = lambda g=g: product(module, image, X, f, out, g)
        try:
            packed = torch._cslt_compress(U)
            runs["cuSPARSELt, compression"] = lambda: torch._cslt_compress(U)
            runs["cuSPARSELt, bare product"] = lambda: torch._cslt_sparse_mm(packed, X.t(), transpose_result=True)
            best = torch._cslt_sparse_mm_search(packed, X.t(), transpose_result=True)
            runs[f"cuSPARSELt, searched: algorithm {best}"] = \
                lambda: torch._cslt_sparse_mm(packed, X.t(), transpose_result=True, alg_id=best)
        except (AttributeError, RuntimeError) as problem: print("  cuSPARSELt:", problem)
        t = rounds(runs)
        print(f"T {T} d {d} f {f}", flush=True)
        for name, ms in t.items(): print(f"  {name:40s} {ms:.4f} ms, x{t['cuBLAS, bare product'] / ms:.2f}", flush=True)


if __name__ == "__main__": command_line.run(__doc__, ("two_four_product",), check, time_all)
