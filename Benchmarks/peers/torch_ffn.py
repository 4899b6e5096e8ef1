"""One squared-ReLU feed-forward network in PyTorch: dense, and columns by a loop over blocks.

python torch_ffn.py --tokens 4096 --width 768 --hidden 3072 --threads 2
"""

import argparse
import statistics
import time

import torch


class Dense:
    """Six products in full, written out so that only A is kept, as krait does."""

    name = "dense"

    def __init__(self, data, sizes):
        self.data = data

    def step(self):
        x, up, down, dy, up_gradient, down_gradient = self.data
        a = (x @ up.T).relu_().square_()
        y = a @ down
        dh = dy @ down.T
        dh *= a.sqrt().mul_(2)
        down_gradient.addmm_(a.T, dy)
        dx = dh @ up
        up_gradient.addmm_(dh.T, x)
        return y, dx


class Columns:
    """Routes, samples, selects, then loops over blocks of tokens with gathered weights."""

    def __init__(self, data, sizes):
        self.data, self.sizes = data, sizes
        self.name = f"columns {sizes.density}, loop"
        self.kept = -(-int(sizes.density * sizes.hidden) // 64) * 64
        self.centroids = torch.nn.functional.normalize(torch.randn(sizes.clusters, sizes.width))

    def step(self):
        x, up, down, dy, up_gradient, down_gradient = self.data
        block, samples = self.sizes.block, self.sizes.samples
        best = (x @ self.centroids.T).topk(2, dim=1).indices
        key = best[:, 0] * self.sizes.clusters + best[:, 1]
        order = key.argsort(stable=True)
        routed, routed_dy = x[order], dy[order]
        blocks = len(x) // block
        positions = torch.arange(samples) * block // samples
        sampled = routed.view(blocks, block, -1)[:, positions].flatten(0, 1)
        sums = (sampled @ up.T).relu_().square_().view(blocks, samples, -1).sum(1)
        lists = sums.topk(self.kept, dim=1).indices
        y, dx = torch.empty_like(x), torch.empty_like(x)
        for index in range(blocks):
            rows = slice(index * block, (index + 1) * block)
            kept = lists[index]
            own_up, own_down = up[kept], down[kept]
            a = (routed[rows] @ own_up.T).relu_().square_()
            y[order[rows]] = a @ own_down
            dh = routed_dy[rows] @ own_down.T
            dh *= a.sqrt().mul_(2)
            down_gradient.index_add_(0, kept, a.T @ routed_dy[rows])
            dx[order[rows]] = dh @ own_up
            up_gradient.index_add_(0, kept, dh.T @ routed[rows])
        return y, dx


def add_sizes(parser):
    """The names are those of `krait bench ffn`."""
    parser.add_argument("--tokens", type=int, default=4096)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--hidden", type=int, default=3072)
    parser.add_argument("--block", type=int, default=128)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--clusters", type=int, default=48)
    parser.add_argument("--density", type=float, default=0.125)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)


def variants(sizes):
    """Both, on the same data."""
    torch.manual_seed(1)
    if sizes.tokens % sizes.block:
        raise SystemExit(f"--tokens {sizes.tokens} must be a multiple of --block {sizes.block}")
    data = (
        torch.randn(sizes.tokens, sizes.width), 0.02 * torch.randn(sizes.hidden, sizes.width),
        0.02 * torch.randn(sizes.hidden, sizes.width), torch.randn(sizes.tokens, sizes.width),
        torch.zeros(sizes.hidden, sizes.width), torch.zeros(sizes.hidden, sizes.width))
    return [Dense(data, sizes), Columns(data, sizes)]


def timed(variant):
    """(seconds, processor seconds) of one forward and backward pass."""
    processor = time.process_time()
    start = time.perf_counter()
    with torch.no_grad():
        variant.step()
    return time.perf_counter() - start, time.process_time() - processor


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_sizes(parser)
    sizes = parser.parse_args()
    torch.set_num_threads(sizes.threads)
    both = variants(sizes)
    times = {variant.name: [] for variant in both}
    for variant in both:
        timed(variant)
    for _ in range(sizes.rounds):
        for variant in both:
            times[variant.name].append(timed(variant))
    base = statistics.median(pair[0] for pair in times["dense"])
    for name, pairs in times.items():
        seconds = statistics.median(pair[0] for pair in pairs)
        print(f"{name:22} {seconds * 1e3:9.1f} ms  {base / seconds:6.2f} times dense")


if __name__ == "__main__":
    main()
