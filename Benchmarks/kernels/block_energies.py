"""Checks and times the block sums that selection chooses by, on a Hopper GPU, beside the products that store
[T, f]: in bf16, in e4m3, with 2:4 weights, and both.

    python3 Benchmarks/kernels/block_energies.py [--check] [--time] [--variants]

Needs a Hopper GPU, PyTorch and NVRTC 13."""
import torch
from nvrtc_driver import Module
from sparse_products import SMS, THREADS, error, i64, random, rounds
import command_line, dense_products, two_four_products

SHAPES = [(49152, 768, 3072), (16384, 2048, 8192), (16384, 4096, 16384)]
SHARED, TWO_FOUR_SHARED, EIGHT_BIT_TWO_FOUR_SHARED = 196672, two_four_products.SHARED, 215120


def grid(T, f): return min(-(-T // 256) * -(-f // 256), SMS // 2) * 2


def new_sums(T, f, block=128): return torch.full((-(-T // block), f), float("nan"), device="cuda")


def energies(module, X, U, sums, group=8, block=128):
    module.launch(f"block_energies_{block}", grid(X.shape[0], U.shape[0]), THREADS, SHARED,
                  [module.map(X, 64, 128), module.map(U, 64, 128), None, sums, i64(sums.stride(0)), X.shape[0], U.shape[0],
                   X.shape[1], group])


def eight_bit(X, U):
    """Memory for X and U in e4m3, a pair in an element of 16 bits, and for a factor of every neuron."""
    pairs = lambda M: torch.empty(M.shape[0], M.shape[1] // 2, device="cuda", dtype=torch.bfloat16)
    return pairs(X), pairs(U), torch.empty(U.shape[0], device="cuda")


def quantize_tokens(module, X, X8):
    module.launch("quantize_tokens", X.shape[0], 128, 0, [X, i64(X.stride(0)), X.shape[1], X8])


def quantize_neurons(module, U, U8, factors):
    module.launch("quantize_neurons", U.shape[0], 128, 0, [U, i64(U.stride(0)), U.shape[1], U8, factors])


def energies_eight_bit(module, X8, U8, factors, sums, group=8, block=128):
    module.launch(f"block_energies_eight_bit_{block}", grid(X8.shape[0], U8.shape[0]), THREADS, SHARED,
                  [module.map(X8, 64, 128), module.map(U8, 64, 128), factors, sums, i64(sums.stride(0)), X8.shape[0],
                   U8.shape[0], X8.shape[1], group])


def energies_two_four(module, image, X, f, sums, group=8):
    module.launch("two_four_block_energies", grid(X.shape[0], f), THREADS, TWO_FOUR_SHARED,
                  [image, module.map(X, 64, 128), sums, i64(sums.stride(0)), X.shape[0], f, X.shape[1], group])


def eight_bit_images(U): return torch.empty(-(-U.shape[0] // 128) * -(-U.shape[1] // 128) * 10240, device="cuda", dtype=torch.uint8)


def quantize_two_four(module, U, image, factors):
    module.launch("two_four_quantize", -(-U.shape[0] // 128) * 16, 256, 0,
                  [U, i64(U.stride(0)), U.shape[0], U.shape[1], image, factors])


def energies_eight_bit_two_four(module, image, X8, factors, f, sums, group=8, block=128):
    module.launch(f"two_four_energies_{block}", grid(X8.shape[0], f), THREADS, EIGHT_BIT_TWO_FOUR_SHARED,
                  [image, module.map(X8, 64, 128), factors, sums, i64(sums.stride(0)), X8.shape[0], f, X8.shape[1], group])


def reference(X, U, block=128):
    A = (X.float() @ U.float().t()).clamp_min(0) ** 2
    A = torch.nn.functional.pad(A, (0, 0, 0, -A.shape[0] % block))
    return A.view(-1, block, A.shape[1]).sum(1)


def kept_share(sums, exact, K):
    """What the K largest of `sums` hold of what the K largest of `exact` hold, at worst."""
    chosen = exact.gather(1, sums.topk(K, 1).indices).sum(1)
    return (chosen / exact.topk(K, 1).values.sum(1)).min().item()


def check(module, two_four, both):
    torch.backends.cuda.matmul.allow_tf32 = False
    bad = 0
    for T, d, f in [(1, 16, 8), (300, 144, 520), (1000, 80, 1032), (4099, 768, 3072), (2048, 2048, 8192)]:
        X, U = random(T, d, scale=1.0), two_four_products.two_of_four(random(f, d, scale=0.1) * torch.rand(f, 1, device="cuda").bfloat16())
        expected, runs = reference(X, U), {}
        runs["bf16"] = new_sums(T, f); energies(module, X, U, runs["bf16"])
        X8, U8, factors = eight_bit(X, U)
        runs["e4m3"] = new_sums(T, f)
        quantize_tokens(module, X, X8); quantize_neurons(module, U, U8, factors)
        energies_eight_bit(module, X8, U8, factors, runs["e4m3"])
        values = lambda M: M.view(torch.float8_e4m3fn).float()
        scale = 448 / U.float().abs().amax(1).clamp_min(1e-30)
        whole = (X8.view(torch.uint8).equal((X.float() * 4).clamp(-448, 448).to(torch.float8_e4m3fn).view(torch.uint8)))
        of_eight = reference(values(X8) / 4, values(U8) / scale[:, None])
        image = two_four_products.images(U)
        two_four_products.compress(two_four, U, image)
        runs["2:4"] = new_sums(T, f); energies_two_four(two_four, image, X, f, runs["2:4"])
        image8, factors8 = eight_bit_images(U), torch.empty_like(factors)
        quantize_two_four(both, U, image8, factors8)
        for block in (128, 64, 32):
            name = f"e4m3, 2:4, blocks of {block}"
            runs[name] = new_sums(T, f, block)
            energies_eight_bit_two_four(both, image8, X8, factors8, f, runs[name], block=block)
            torch.cuda.synchronize()
            e = error(runs.pop(name), reference(values(X8) / 4, values(U8) / scale[:, None], block))
            bad += not e < 2e-3
            print(f"  T {T} d {d} f {f} {name}: error {e:.1e} {'ok' if e < 2e-3 else 'WRONG'}", flush=True)
        torch.cuda.synchronize()
        for block in (8, 16, 32, 64):
            sums, sums8 = new_sums(T, f, block), new_sums(T, f, block)
            energies(module, X, U, sums, block=block); energies_eight_bit(module, X8, U8, factors, sums8, block=block)
            torch.cuda.synchronize()
            e, e8 = error(sums, reference(X, U, block)), error(sums8, reference(values(X8) / 4, values(U8) / scale[:, None], block))
            ok = e < 1e-4 and e8 < 2e-3; bad += not ok
            print(f"  T {T} d {d} f {f} blocks of {block}: error {e:.1e}, e4m3 {e8:.1e} {'ok' if ok else 'WRONG'}", flush=True)
        for name, sums in runs.items():
            e = error(sums, of_eight if name == "e4m3" else expected)
            ok = e < (2e-3 if name == "e4m3" else 1e-4) and whole
            bad += not ok
            print(f"  T {T} d {d} f {f} {name}: error {e:.1e}, by the exact sums {error(sums, expected):.1e}, "
                  f"keeps {kept_share(sums, expected, max(1, f // 8)):.5f} {'ok' if ok else 'WRONG'}", flush=True)
    print("check:", "all right" if not bad else f"{bad} WRONG", flush=True)
    return bad


def time_all(module, two_four, both, groups):
    dense = Module("hopper/dense_product.cu")
    for T, d, f in SHAPES:
        X, U = random(T, d, scale=1.0), two_four_products.two_of_four(random(f, d, scale=0.05))
        out, sums = torch.empty(T, f, device="cuda", dtype=torch.bfloat16), new_sums(T, f)
        image, (X8, U8, factors), image8 = two_four_products.images(U), eight_bit(X, U), eight_bit_images(U)
        two_four_products.compress(two_four, U, image)
        quantize_tokens(module, X, X8); quantize_neurons(module, U, U8, factors)
        runs = {"cuBLAS, bare product": lambda: torch.mm(X, U.t(), out=out),
                "dense, squared ReLU": lambda: dense_products.launch(dense, "relu", X, U, out, out),
                "2:4, squared ReLU": lambda: two_four_products.product(two_four, image, X, f, out, 8),
                "e4m3, tokens": lambda: quantize_tokens(module, X, X8),
                "e4m3, neurons": lambda: quantize_neurons(module, U, U8, factors),
                "2:4, neurons": lambda: two_four_products.compress(two_four, U, image),
                "2:4, e4m3, neurons": lambda: quantize_two_four(both, U, image8, factors)}
        for g in groups:
            runs[f"sums, group {g}"] = lambda g=g: energies(module, X, U, sums, g)
            runs[f"sums, e4m3, group {g}"] = lambda g=g: energies_eight_bit(module, X8, U8, factors, sums, g)
            runs[f"sums, 2:4, group {g}"] = lambda g=g: energies_two_four(two_four, image, X, f, sums, g)
            runs[f"sums, 2:4, e4m3, group {g}"] = lambda g=g: energies_eight_bit_two_four(both, image8, X8, factors, f, sums, g)
        for share, block in ((8, 16), (4, 32), (2, 64)):
            few, few8, some = X[:T // share], X8[:T // share], new_sums(T // share, f, block)
            runs[f"sums of {block} of 128"] = lambda few=few, some=some, block=block: energies(module, few, U, some, 8, block)
            runs[f"sums of {block} of 128, e4m3"] = lambda few8=few8, some=some, block=block: energies_eight_bit(module, few8, U8, factors, some, 8, block)
        t = rounds(runs)
        print(f"T {T} d {d} f {f}", flush=True)
        for name, ms in t.items(): print(f"  {name:40s} {ms:.4f} ms, x{t['cuBLAS, bare product'] / ms:.2f}", flush=True)


if __name__ == "__main__": command_line.run(__doc__, ("block_energies", "two_four_product", "two_four_energies"), check, time_all)
