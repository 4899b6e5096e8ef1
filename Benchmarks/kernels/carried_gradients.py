"""Checks and times the weight gradients whose sums are carried from block to block, on lists that change by a
given share from block to block, against torch.matmul (cuBLAS) and the kernel that adds in order.

    python3 Benchmarks/kernels/carried_gradients.py [--check] [--time] [--change 1,0.3,0.15] [--block 128]

Lists come from a Markov chain: `change` of a block's neurons are replaced in the next one by others, at random
(1: every list is drawn anew, as in sparse_products.py). What training has: `listChange` in metrics.jsonl."""
import argparse, torch
from nvrtc_driver import Module
from sparse_products import DEVICE, SHAPES, SMS, THREADS, as_u16, error, i64, launch_gradient_in_order, random, random_lists, rounds


def chain_lists(blocks, f, kept, change):
    if change >= 1 - kept / f: return random_lists(blocks, f, kept)
    new, now, lists = round(kept * change), torch.randperm(f, device=DEVICE), []
    for _ in range(blocks):
        lists.append(now[:kept].sort().values)
        old, others = now[:kept][torch.randperm(kept, device=DEVICE)], now[kept:][torch.randperm(f - kept, device=DEVICE)]
        now = torch.cat([old[new:], others[:new], old[:new], others[new:]])
    return torch.stack(lists).to(torch.int32)


def launch_align(module, lists16, chain=16):
    (blocks, kept) = lists16.shape
    module.launch(f"align_columns_{1 if kept <= 1024 else 2 if kept <= 2048 else 16}", -(-blocks // chain), 1024, 0, [lists16, i64(kept), blocks, kept, chain])


def aligned(module, lists, chain=16):
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


def launch_carry(module, P, R, lists16, V, gradient, span=16, group=1, cluster=1):
    (T, K), d = P.shape, R.shape[1]
    items = -(-(-(-T // V)) // span) * -(-d // 256) * -(-K // (128 * cluster))
    module.launch(f"weight_gradient_carry_{cluster}", min(items, SMS // cluster) * cluster, THREADS, 231488, [
        module.map(P, 64, 64), module.map(R, 64, 64), gradient, i64(gradient.stride(0)), lists16, K, K, d, T, V, span, min(group, -(-d // 256))])


def check(carry, align, small):
    bad = 0
    for T, d, f, K, V, change in [(300, 256, 512, 320, 128, .2), (1000, 384, 1024, 192, 256, .3), (8192, 768, 3072, 384, 128, .3),
                                  (4096, 2048, 8192, 1024, 128, 1), (2500, 320, 16384, 8192, 128, .25), (700, 64, 256, 64, 64, .5),
                                  (2048 + 72, 4096, 16384, 2048, 256, .2)][:2 if small else None]:
        P, R, lists = random(T, K), random(T, d), chain_lists(-(-T // V), f, K, change)
        for chain in (1, 5, 16):
            lists16 = aligned(align, lists, chain)
            if not torch.equal(lists16.to(torch.int32).cpu(), aligned_reference(lists.cpu(), chain)): print("  align_columns WRONG"); bad += 1
        start, rows = torch.randn(f, d, device=DEVICE), lists16.to(torch.int64)
        reference = start.clone()
        for b in range(rows.shape[0]): reference.index_add_(0, rows[b], P[b * V:(b + 1) * V].float().t() @ R[b * V:(b + 1) * V].float())
        for cluster in (1, 2):
            for span, group in ((1, 1), (3, 2), (16, 1), (64, 99)):
                gradient = start.clone()
                launch_carry(carry, P, R, lists16, V, gradient, span, group, cluster)
                torch.cuda.synchronize()
                e = error(gradient, reference); bad += not e < 1e-5
                if not e < 1e-5 or span == 16: print(f"  T {T} d {d} f {f} K {K} V {V} cluster {cluster} span {span}: error {e:.1e} {'ok' if e < 1e-5 else 'WRONG'}", flush=True)
    print("check:", "all right" if not bad else f"{bad} WRONG", flush=True)
    return bad


def time_all(carry, align, in_order, V, inverse_density, changes, variants):
    for T, d, f in SHAPES:
        K, blocks, flops = f // inverse_density, T // V, 2 * T * d * f
        P, X, H = random(T, K), random(T, d), random(T, f)
        dense_gradient, gradient = torch.empty(f, d, device=DEVICE, dtype=torch.bfloat16), torch.zeros(f, d, device=DEVICE)
        runs = {"dense": lambda: torch.mm(H.t(), X, out=dense_gradient)}
        for change in changes:
            lists = chain_lists(blocks, f, K, change)
            lists16, ordered = aligned(align, lists), as_u16(lists)
            slots = lists16.to(torch.int32)
            moved = (slots[1:] != slots[:-1]).float().mean().item()
            if change == changes[0]:
                runs["in order"] = lambda l=ordered: launch_gradient_in_order(in_order, P, X, l, V, gradient)
                runs["align_columns"] = lambda l=ordered.clone(): launch_align(align, l)
            for cluster, span, group in [(c, s, g) for c in (1, 2) for s in (4, 8, 16) for g in (1, 2)] if variants else [(2, 16, 1)]:
                name = f"carried, lists change by {change}, cluster {cluster} span {span} group {group}: {(1 + (span - 1) * moved) / span:.2f} of all added"
                runs[name] = lambda l=lists16, c=cluster, s=span, g=group: launch_carry(carry, P, X, l, V, gradient, s, g, c)
        t = rounds(runs)
        print(f"T {T} d {d} f {f} K {K} V {V}", flush=True)
        for name, ms in t.items(): print(f"  {name:84s} {ms:.3f} ms {flops / (1 if name == 'dense' else inverse_density) / ms / 1e9:.0f} TFLOP/s  x{t['dense'] / ms:.2f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true"); parser.add_argument("--time", action="store_true")
    parser.add_argument("--small", action="store_true", help="checks two small sizes only (for compute-sanitizer)")
    parser.add_argument("--variants", action="store_true", help="times clusters, spans and groups beside the default")
    parser.add_argument("--change", default="1,0.3,0.15", help="shares of a list that are new in the next block")
    parser.add_argument("--block", type=int, default=128, help="V"); parser.add_argument("--density", type=int, default=8, help="f / K")
    a = parser.parse_args()
    print(torch.cuda.get_device_name(0), "torch", torch.__version__, "SMs", SMS, flush=True)
    carry, align, in_order = Module("hopper/weight_gradient_carry.cu"), Module("AlignColumns.cu"), Module("hopper/weight_gradient.cu")
    if a.check and check(carry, align, a.small): raise SystemExit(1)
    if a.time: time_all(carry, align, in_order, a.block, a.density, [float(c) for c in a.change.split(",")], a.variants)
