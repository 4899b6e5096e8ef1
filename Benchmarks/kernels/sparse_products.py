"""Checks and times the sparse feed-forward products of a Hopper GPU against torch.matmul (cuBLAS).

    python3 Benchmarks/kernels/sparse_products.py [--check] [--time] [--block 128] [--density 8]

Needs a Hopper GPU, PyTorch and NVRTC 13. Every check draws fresh random inputs, poisons the output and compares
with fp32 products of the same bf16 values; NaN never passes."""
import argparse, ctypes, torch
from nvrtc_driver import Module

torch.manual_seed(1)
DEVICE = "cuda"
SHAPES = [(32768, 2048, 8192), (16384, 4096, 16384)]
SHARED, THREADS = 229504, 384
SMS = torch.cuda.get_device_properties(0).multi_processor_count


def random(*shape, scale=0.5):
    return (torch.randn(*shape, device=DEVICE) * scale).bfloat16()


def random_lists(blocks, f, kept):
    """Sorted uint16 lists of distinct neurons, independent from block to block: the worst case."""
    chosen = torch.rand(blocks, f, device=DEVICE).topk(kept, dim=1).indices.sort(dim=1).values
    return chosen.to(torch.int32)


def as_u16(lists):
    return lists.to(torch.uint16).contiguous()


def i64(x): return ctypes.c_longlong(x)


def launch_kept(module, name, cluster, X, W, lists16, V, out, order=None, activation=None, group=None, ordered=False):
    kept, columns = lists16.shape[1], int(name.split("_")[-2])
    tiles = -(-kept // (columns * cluster))
    row_tiles = -(-X.shape[0] // 128)
    grid = min(row_tiles * tiles * cluster, (128 if cluster == 4 else SMS // cluster * cluster))
    module.launch(name, grid, THREADS, SHARED, [
        module.map(X, 64, 128 // cluster), W, i64(W.stride(0)), lists16, kept, kept, W.shape[1], X.shape[0], V,
        order, X if ordered else None, i64(X.stride(0)), activation, i64(activation.stride(0) if activation is not None else 0), out, i64(out.stride(0)), group or tiles])


def launch_packed(module, name, cluster, P, W, lists16, V, out, order=None, residual=None, group=None):
    d = W.shape[1]
    tiles, row_tiles = -(-d // (256 * cluster)), -(-P.shape[0] // 128)
    grid = min(row_tiles * tiles * cluster, (128 if cluster == 4 else SMS // cluster * cluster))
    module.launch(name, grid, THREADS, SHARED, [
        module.map(P, 64, 128), W, i64(W.stride(0)), lists16, lists16.shape[1], lists16.shape[1], d, P.shape[0], V,
        order, residual, i64(residual.stride(0) if residual is not None else 0), out, i64(out.stride(0)), group or tiles])


def error(out, reference):
    e = ((out.float() - reference).norm() / reference.norm().clamp_min(1e-20)).item()
    worst = ((out.float() - reference).abs() / (reference.abs() + reference.std())).max().item()
    return max(e, worst / 8) if e == e and worst == worst else float("inf")


def reference_kept(X, W, lists, V, order, epilogue, activation=None):
    rows = X[order.long()] if order is not None else X
    out = torch.empty(X.shape[0], lists.shape[1], device=DEVICE)
    for b in range(lists.shape[0]):
        h = rows[b * V:(b + 1) * V].float() @ W[lists[b].long()].float().t()
        if epilogue == "relu": h = h.clamp_min(0) ** 2
        else: h = h * 2 * activation[b * V:(b + 1) * V].float().sqrt()
        out[b * V:(b + 1) * V] = h
    return out


def reference_packed(P, W, lists, V, order, residual=None):
    out = torch.empty(P.shape[0], W.shape[1], device=DEVICE)
    for b in range(lists.shape[0]):
        y = P[b * V:(b + 1) * V].float() @ W[lists[b].long()].float()
        if order is None: out[b * V:(b + 1) * V] = y
        else: out[order[b * V:(b + 1) * V].long()] = y
    return out + residual.float() if residual is not None else out


def check(kept_module, packed_module, clusters, small):
    torch.backends.cuda.matmul.allow_tf32 = False
    bad = 0
    for T, d, f, K, V in [(300, 256, 512, 320, 128), (1024, 384, 1024, 512, 256), (4096 + 72, 768, 3072, 1024, 128),
                          (640, 2048, 8192, 64, 128), (8192, 2048, 8192, 1024, 128)][:2 if small else None]:
        blocks = -(-T // V)
        X, W, lists = random(T, d), random(f, d, scale=0.1), random_lists(blocks, f, K)
        order = torch.randperm(T, device=DEVICE).int()
        l16, act, P, residual = as_u16(lists), random(T, K).abs(), random(T, K), random(T, d)
        for c in clusters:
            rows = []
            for name, use, ordered, epilogue in [
                    (f"kept_{kind}_{'ordered_' if use is not None else ''}{n}_{c}", use, use is not None, short)
                    for kind, short in (("squared_relu", "relu"), ("two_sqrt", "sqrt")) for use in (None, order) for n in (256, 192, 128)]:
                if c > 1 and (ordered or "_128_" in name): continue
                out = torch.full((T, K), float("nan"), device=DEVICE, dtype=torch.bfloat16)
                launch_kept(kept_module, name, c, X, W, l16, V, out, use, act, ordered=ordered, group=1)
                torch.cuda.synchronize()
                rows.append((name, error(out, reference_kept(X, W, lists, V, use, epilogue, act))))
            for name, use, add in [(f"packed_store_{c}", None, None), (f"packed_store_{c}", order, None),
                                   (f"packed_add_{c}", order, residual)]:
                out = torch.full((T, d), float("nan"), device=DEVICE, dtype=torch.bfloat16)
                launch_packed(packed_module, name, c, P, W, l16, V, out, use, add, group=1)
                torch.cuda.synchronize()
                rows.append((name, error(out, reference_packed(P, W, lists, V, use, add))))
            for name, e in rows:
                ok = e < 6e-3
                bad += not ok
                if not ok or T == 300: print(f"  T {T} d {d} f {f} K {K} V {V} {name}: error {e:.1e} {'ok' if ok else 'WRONG'}", flush=True)
    print("check:", "all right" if not bad else f"{bad} WRONG", flush=True)
    return bad


def launch_gradient_in_order(module, P, R, lists16, V, gradient, neurons=None):
    """The reproducible one: a block owns `neurons` neurons, so that their slots in a token block rarely exceed 64."""
    (T, K), (f, d), blocks = P.shape, gradient.shape, lists16.shape[0]
    neurons = neurons or max(8, min(448, 52 * f // K // 8 * 8))
    ranges = -(-f // neurons)
    starts = torch.empty(blocks, ranges + 1, device=DEVICE, dtype=torch.uint16)
    module.launch("list_starts", blocks, 32 * min(8, -(-(ranges + 1) // 32)), 0, [lists16, K, K, neurons, ranges, starts])
    module.launch("weight_gradient", min(ranges * -(-d // 64), SMS), THREADS, 213040, [
        module.map(P, 64, 128), module.map(R, 64, 128), gradient, i64(gradient.stride(0)), lists16, K, starts, neurons, f, d, T, V])


def check_gradient(ordered, small):
    bad = 0
    for T, d, f, K, V in [(300, 256, 512, 320, 128), (1000, 384, 1024, 192, 256), (8192, 768, 3072, 384, 128), (4096, 2048, 8192, 1024, 128)][:2 if small else None]:
        blocks = -(-T // V)
        P, R, lists = random(T, K), random(T, d), random_lists(blocks, f, K)
        start = torch.randn(f, d, device=DEVICE)
        reference = start.clone()
        for b in range(blocks):
            reference.index_add_(0, lists[b], P[b * V:(b + 1) * V].float().t() @ R[b * V:(b + 1) * V].float())
        runs = {"weight_gradient": lambda g: launch_gradient_in_order(ordered, P, R, as_u16(lists), V, g),
                "weight_gradient, 40 neurons": lambda g: launch_gradient_in_order(ordered, P, R, as_u16(lists), V, g, 40)}
        for name, run in runs.items():
            results = []
            for _ in range(3):
                results.append(start.clone()); run(results[-1])
            torch.cuda.synchronize()
            e, same = error(results[0], reference), all(torch.equal(results[0], r) for r in results[1:])
            ok = e < 1e-5 and same; bad += not ok
            print(f"  T {T} d {d} f {f} K {K} V {V} {name}: error {e:.1e}, {'equal' if same else 'unequal'} runs {'ok' if ok else 'WRONG'}", flush=True)
    return bad


def rounds(runs, count=14):
    """Medians (ms) of many launches, all runs taking turns: every one sees the same temperature and clocks."""
    times = {name: [] for name in runs}
    for name, run in runs.items(): run()
    for _ in range(count):
        for name, run in runs.items():
            x, y = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            run()  # the neighbour's data leaves the cache
            x.record(); run(); run(); y.record()
            times[name].append((x, y))
    torch.cuda.synchronize()
    return {n: sorted(x.elapsed_time(y) / 2 for x, y in t[4:])[(len(t) - 4) // 2] for n, t in times.items()}


def time_all(modules, V, inverse_density, variants, only):
    """One table per shape; a sparse product's ratio is to the dense product of the same kind in the same rounds."""
    for T, d, f in SHAPES:
        K, blocks, flops = f // inverse_density, T // V, 2 * T * d * f
        X, W, l16 = random(T, d), random(f, d, scale=0.05), as_u16(random_lists(blocks, f, K))
        P, out, Y, act = random(T, K), torch.empty(T, K, device=DEVICE, dtype=torch.bfloat16), torch.empty_like(X), random(T, K).abs()
        H, dense_gradient, gradient = random(T, f), torch.empty(f, d, device=DEVICE, dtype=torch.bfloat16), torch.zeros(f, d, device=DEVICE)
        order = torch.randperm(T, device=DEVICE).int()
        kept, packed, in_order = modules
        runs = {"dense 1,3": lambda: torch.mm(X, W.t(), out=H), "dense 2,5": lambda: torch.mm(H, W, out=Y),
                "dense 2 added": lambda: torch.addmm(X, H, W, out=Y), "dense 4,6": lambda: torch.mm(H.t(), X, out=dense_gradient)}
        def kept_run(c, g, name="squared_relu", o=None):
            return lambda: launch_kept(kept, f"kept_{name}_{'ordered_' if o is not None else ''}256_{c}", c, X, W, l16, V, out, o, act, group=g, ordered=o is not None)
        def packed_run(c, g, residual=None):
            return lambda: launch_packed(packed, f"packed_{'add' if residual is not None else 'store'}_{c}", c, P, W, l16, V, Y, order, residual, group=g)
        tiles, wide = K // 256, d // 256
        for c, g in [(2, 1), (2, 2), (1, 4)] if variants else [(2, 1)]:
            runs[f"1: kept, squared relu, cluster {c} group {g}"] = kept_run(c, min(g, tiles // c))
            runs[f"3: kept, two sqrt, cluster {c} group {g}"] = kept_run(c, min(g, tiles // c), "two_sqrt")
            runs[f"5: packed, ordered, cluster {c} group {g}"] = packed_run(c, min(g, wide // c))
            runs[f"2: packed, ordered, added, cluster {c} group {g}"] = packed_run(c, min(g, wide // c), X)
        runs["1: kept, squared relu, rows gathered"] = kept_run(1, min(4, tiles), o=order)
        runs["3: kept, two sqrt, rows gathered"] = kept_run(1, min(4, tiles), "two_sqrt", o=order)
        for n in (256, 320, 384, 448) if variants else (None,):
            runs[f"4: gradient, in order{f', {n} neurons' if n else ''}"] = lambda n=n: launch_gradient_in_order(in_order, P, X, l16, V, gradient, n)
        if only: runs = {name: run for name, run in runs.items() if only in name or name[0] == "d"}
        t = rounds(runs)
        print(f"T {T} d {d} f {f} K {K} V {V}", flush=True)
        for name, ms in t.items():
            if name[0] == "d": print(f"  {name:44s} {ms:.3f} ms {flops/ms/1e9:.0f} TFLOP/s")
            else:
                dense = t["dense 1,3" if name[0] in "13" else "dense 2 added" if "added" in name else "dense 2,5" if name[0] in "25" else "dense 4,6"]
                print(f"  {name:44s} {ms:.3f} ms {flops/inverse_density/ms/1e9:.0f} TFLOP/s  x{dense/ms:.2f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true"); parser.add_argument("--time", action="store_true")
    parser.add_argument("--small", action="store_true", help="checks two small sizes only (for compute-sanitizer)")
    parser.add_argument("--only", default="", help="times only rows whose name holds this")
    parser.add_argument("--variants", action="store_true", help="times clusters and orders of tiles beside the defaults")
    parser.add_argument("--block", type=int, default=128, help="V"); parser.add_argument("--density", type=int, default=8, help="f / K")
    parser.add_argument("--define", action="append", default=[], help="NAME or NAME=VALUE for the kernels")
    a = parser.parse_args()
    print(torch.cuda.get_device_name(0), "torch", torch.__version__, "SMs", SMS, a.define, flush=True)
    defines = ["-D" + d for d in a.define]
    modules = [Module(f"hopper/{n}.cu", defines) for n in ("kept_product", "packed_product", "weight_gradient")]
    if a.check and (check(*modules[:2], [1, 2], a.small) | check_gradient(*modules[2:], a.small)): raise SystemExit(1)
    if a.time: time_all(modules, a.block, a.density, a.variants, a.only)
