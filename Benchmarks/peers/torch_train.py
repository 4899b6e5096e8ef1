"""Training steps of the same model in PyTorch on the CPU, eager and compiled; for NVIDIA GPUs see
torch_cuda.py.

python torch_train.py --width 512 --layers 8 --sequence 512 --sequences 4 --threads 2
"""

import argparse
import statistics
import time

import torch

from torch_model import Model


class Variant:
    """A model and its optimizer; `step` returns (seconds, processor seconds)."""

    def __init__(self, sizes, compiled):
        torch.manual_seed(1)
        self.model = Model(sizes)
        self.call = torch.compile(self.model) if compiled else self.model
        matrices = [p for p in self.model.parameters() if p.dim() == 2]
        vectors = [p for p in self.model.parameters() if p.dim() != 2]
        # The fused AdamW is PyTorch's fastest on the CPU.
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0}],
            lr=1e-4, betas=(0.9, 0.95), eps=1e-8, fused=True)
        ids = torch.randint(0, sizes.vocabulary, (sizes.sequences, sizes.sequence + 1))
        self.tokens, self.targets = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()
        self.count = self.tokens.numel()

    def step(self):
        processor = time.process_time()
        start = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        self.call(self.tokens, self.targets).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return time.perf_counter() - start, time.process_time() - processor


def add_sizes(parser):
    """The options that fix a model and a batch; the names are those of `krait bench step`."""
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--hidden", type=int, help="default: 4 width")
    parser.add_argument("--heads", type=int, help="default: width / 64")
    parser.add_argument("--vocabulary", type=int, default=257)
    parser.add_argument("--sequence", type=int, default=512)
    parser.add_argument("--sequences", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)


def filled(sizes):
    """The same options with defaults that follow from others."""
    sizes.hidden = sizes.hidden or 4 * sizes.width
    sizes.heads = sizes.heads or max(1, sizes.width // 64)
    sizes.key_value_heads, sizes.head_width = sizes.heads, sizes.width // sizes.heads
    sizes.theta, sizes.tied, sizes.loss_rows = 1e4, False, 0
    return sizes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_sizes(parser)
    parser.add_argument("--no-compile", action="store_true")
    sizes = filled(parser.parse_args())
    torch.set_num_threads(sizes.threads)
    names = ["eager"] + ([] if sizes.no_compile else ["compiled"])
    variants = {name: Variant(sizes, name == "compiled") for name in names}
    times = {name: [] for name in names}
    for variant in variants.values():
        for _ in range(2):
            variant.step()
    for _ in range(sizes.rounds):
        for name, variant in variants.items():
            times[name].append(variant.step())
    print(f"PyTorch {torch.__version__}, {sizes.threads} threads, {vars(sizes)}")
    for name, pairs in times.items():
        seconds = statistics.median(pair[0] for pair in pairs)
        processor = statistics.median(pair[1] for pair in pairs)
        print(f"{name:9} {seconds * 1e3:9.1f} ms  {variants[name].count / seconds:9.0f} tokens/s"
              f"  {processor:7.2f} processor s")


if __name__ == "__main__":
    main()
