"""Checks and times the weight gradients whose sums are carried from block to block, on lists that change by a
given share from block to block, against torch.matmul (cuBLAS) and the kernel that adds without carrying.

    python3 Benchmarks/kernels/carried_gradients.py [--check] [--time] [--variants] [--change 1,0.3,0.15] [--block 128]

Lists come from a Markov chain: `change` of a block's neurons are replaced in the next one by others, at random
(1: every list is drawn anew, as in sparse_products.py). What training has: `listChange` in metrics.jsonl. Every
launch is timed as a CUDA graph: small ones would wait for Python."""
import argparse, torch
from nvrtc_driver import Module
from sparse_products import DEVICE, SHAPES, as_u16, error, i64, launch_gradient_in_order, random, random_lists, rounds

SHARED, THREADS = 215088, 384
CLUSTERS = [(1, 1), (2, 1), (3, 1), (1, 2)]  # blocks by slots, by columns
MORE_SHAPES = [(16384, 2048, 8192), (49152, 2048, 8192), (16384, 768, 3072), (49152, 768, 3072)]


def chain_lists(blocks, f, kept, change):
    if change >= 1 - kept / f: return random_lists(blocks, f, kept)
    new, now, lists = round(kept * change), torch.randperm(f, device=DEVICE), []
    for _ in range(blocks):
        lists.append(now[:kept].sort().values)
        old, others = now[:kept][torch.randperm(kept, device=DEVICE)], now[kept:][torch.randperm(f - kept, device=DEVICE)]
        now = torch.cat([old[new:], others[:new], old[:new], others[new:]])
    return torch.stack(lists).to(torch.int32)


def launch_align(module, lists16, chain):
    (blocks, kept) = lists16.shape
    each = 1 if kept <= 1024 else 2 if kept <= 2048 else 4 if kept <= 4096 else 16
    module.launch(f"align_columns_{each}", -(-blocks // chain), 1024, 0 if each == 16 else 65536 + 14336 * each,
                  [lists16, i64(kept), blocks, kept, chain])


def aligned(module, lists, chain):
    lists16 = as_u16(lists).clone()
    launch_align(module, lists16, chain)
    return lists16


def aligned_reference(lists, chain):
    rows = []
    for b, row in enumerate(lists.tolist()):
        if b % chain:
            before, now = rows[-1], set(row)
            rest = iter(sorted(now - set(before)))
            row = [n if n in now else next(rest) for n in before]
        rows.append(row)
    return torch.tensor(rows, dtype=torch.int32)


class Carry:
    """The kernels, as HopperCarry.swift and HopperCarriedGradient.swift start them."""

    def __init__(self):
        self.carry, self.sums = Module("hopper/weight_gradient_carry.cu"), Module("hopper/weight_gradient_runs.cu")
        self.units = {c: self.carry.active_clusters("carry_add_%d_%d" % c, c[0] * c[1], THREADS, SHARED) for c in CLUSTERS}

    def launch(self, name, P, R, lists16, V, output, span, cluster, group):
        (T, K), d, (s, c) = P.shape, R.shape[1], cluster
        tiles = -(-d // (256 * c))
        items = -(-(-(-T // V)) // span) * tiles * -(-K // (128 * s))
        self.carry.launch(f"{name}_{s}_{c}", min(items, self.units[cluster]) * s * c, THREADS, SHARED, [
            self.carry.map(P, 64, 64), self.carry.map(R, 64, 64), output, i64(output.stride(0)), lists16, i64(K), K, d, T, V,
            span, min(group, tiles)])

    def add(self, P, R, lists16, V, gradient, span, cluster=(1, 2), group=1):
        self.launch("carry_add", P, R, lists16, V, gradient, span, cluster, group)

    def in_order(self, P, R, lists16, V, gradient, span, cluster=(1, 2), group=1, columns=512, buffers={}):
        (T, K), (f, d), B = P.shape, gradient.shape, lists16.shape[0]
        columns = min(columns, d)
        if (B, K, f, columns) not in buffers:
            buffers.clear()
            buffers[B, K, f, columns] = (torch.full((B * K, columns), float("nan"), device=DEVICE),
                                         torch.empty(f, B, device=DEVICE, dtype=torch.int16))
        runs, ends = buffers[B, K, f, columns]
        ends.zero_()
        self.sums.launch("run_ends", B, 256, 0, [lists16, i64(K), K, B, span, ends])
        for first in range(0, d, columns):
            w = min(columns, d - first)
            self.launch("carry_store", P, R[:, first:first + w], lists16, V, runs, span, cluster, group)
            self.sums.launch("add_runs", [-(-f // 8), -(-w // 256), 1], 256, 0, [
                gradient[:, first:first + w], i64(gradient.stride(0)), runs, i64(columns), ends, f, B, K, w])


def check(carry, align, small):
    bad = 0
    for T, d, f, K, V, change in [(300, 256, 512, 320, 128, .2), (1000, 384, 1024, 192, 256, .3), (8192, 768, 3072, 384, 128, .3),
                                  (4096, 2048, 8192, 1024, 128, 1), (2500, 320, 16384, 8192, 128, .25), (700, 64, 256, 64, 64, .5),
                                  (2048 + 72, 4096, 16384, 2048, 256, .2)][:2 if small else None]:
        P, R, lists = random(T, K), random(T, d), chain_lists(-(-T // V), f, K, change)
        for chain in (1, 5, 8, 31, 16):
            lists16 = aligned(align, lists, chain)
            if not torch.equal(lists16.to(torch.int32).cpu(), aligned_reference(lists.cpu(), chain)): print("  align_columns WRONG"); bad += 1
        start, rows = torch.randn(f, d, device=DEVICE), lists16.to(torch.int64)
        reference = start.clone()
        for b in range(rows.shape[0]): reference.index_add_(0, rows[b], P[b * V:(b + 1) * V].float().t() @ R[b * V:(b + 1) * V].float())
        for cluster in CLUSTERS:
            for span, group in ((1, 1), (3, 2), (16, 1), (64, 99)):
                results = []
                for run in (carry.add, carry.in_order, carry.in_order):
                    results.append(start.clone())
                    run(P, R, lists16, V, results[-1], span, cluster, group)
                torch.cuda.synchronize()
                e = max(error(r, reference) for r in results)
                ok = e < 1e-5 and torch.equal(results[1], results[2])
                bad += not ok
                if not ok or span == 16: print(f"  T {T} d {d} f {f} K {K} V {V} cluster {cluster} span {span}: error {e:.1e} {'ok' if ok else 'WRONG'}", flush=True)
    print("check:", "all right" if not bad else f"{bad} WRONG", flush=True)
    return bad


def graph(run, stream):
    run()
    torch.cuda.synchronize()
    recorded = torch.cuda.CUDAGraph()
    with torch.cuda.stream(stream):
        recorded.capture_begin(); run(); recorded.capture_end()
    return recorded.replay


def time_all(carry, align, plain, V, inverse_density, changes, variants, shapes):
    stream = torch.cuda.Stream()
    for T, d, f in shapes:
        K, blocks, flops = f // inverse_density, T // V, 2 * T * d * f
        P, X, H = random(T, K), random(T, d), random(T, f)
        dense_gradient, gradient = torch.empty(f, d, device=DEVICE, dtype=torch.bfloat16), torch.zeros(f, d, device=DEVICE)
        runs = {"dense": lambda: torch.mm(H.t(), X, out=dense_gradient)}
        cluster, span = default(blocks, K, d, carry.units)
        for change in changes:
            lists = chain_lists(blocks, f, K, change)
            if change == changes[0]:
                runs["in order, nothing carried"] = lambda l=as_u16(lists): launch_gradient_in_order(plain, P, X, l, V, gradient)
                runs["align_columns"] = lambda l=as_u16(lists).clone(): launch_align(align, l, span)
            for s in (8, 16, 32) if variants else (span,):
                lists16 = aligned(align, lists, s)
                moved = (lists16.view(torch.int16)[1:] != lists16.view(torch.int16)[:-1]).float().mean().item()
                for c in CLUSTERS if variants else (cluster,):
                    for name, run in (("any order", carry.add), ("in order", carry.in_order)):
                        runs[f"{name}, lists change by {change}, cluster {c} span {s}: {moved:.2f} of all added"] = \
                            lambda run=run, l=lists16, s=s, c=c: run(P, X, l, V, gradient, s, c, 2 if c[1] == 1 else 1)
        t = rounds({name: graph(run, stream) for name, run in runs.items()})
        print(f"T {T} d {d} f {f} K {K} V {V}", flush=True)
        for name, ms in t.items(): print(f"  {name:84s} {ms:.3f} ms {flops / (1 if name == 'dense' else inverse_density) / ms / 1e9:.0f} TFLOP/s  x{t['dense'] / ms:.2f}", flush=True)


def default(blocks, kept, d, units):
    """HopperCarry.swift's choice."""
    def cost(cluster, span):
        items = -(-blocks // span) * -(-kept // (128 * cluster[0])) * -(-d // (256 * cluster[1]))
        return -(-items // units[cluster]) * (span + 2) * (1.2 if cluster == (1, 1) else 1)
    return min(((cost(c, s), i, -s, c, s) for i, c in enumerate([(1, 2), (2, 1), (3, 1), (1, 1)]) for s in range(1, min(32, blocks) + 1)))[3:]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true"); parser.add_argument("--time", action="store_true")
    parser.add_argument("--small", action="store_true", help="checks two small sizes only (for compute-sanitizer)")
    parser.add_argument("--variants", action="store_true", help="times clusters and spans beside the default")
    parser.add_argument("--more", action="store_true", help="times the shapes of smaller models too")
    parser.add_argument("--change", default="1,0.3,0.15", help="shares of a list that are new in the next block")
    parser.add_argument("--block", type=int, default=128, help="V"); parser.add_argument("--density", type=int, default=8, help="f / K")
    a = parser.parse_args()
    carry, align, plain = Carry(), Module("AlignColumns.cu"), Module("hopper/weight_gradient.cu")
    print(torch.cuda.get_device_name(0), "torch", torch.__version__, "clusters at once", carry.units, flush=True)
    if a.check and check(carry, align, a.small): raise SystemExit(1)
    if a.time: time_all(carry, align, plain, a.block, a.density, [float(c) for c in a.change.split(",")], a.variants, SHAPES + (MORE_SHAPES if a.more else []))
