"""PyTorch's training step on an NVIDIA GPU: the variants that were tried, timed one by one.

python torch_cuda.py --preset 124m --sequences 16 --variants compiled,autocast --json
Variants are described at `Recipe`.
"""

import argparse
import contextlib
import json
import statistics
import sys
import time

import torch
import torch._functorch.config
from torch.nn.attention import SDPBackend, sdpa_kernel

from torch_model import Model
from torch_sizes import add_shape, shape, step_flops
from torch_update import Update

BACKENDS = {"cudnn": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION,
            "efficient": SDPBackend.EFFICIENT_ATTENTION, "math": SDPBackend.MATH}


class Recipe:
    """How a step is built, from words joined by '+'.

    compiled (torch.compile of the model), blocks (every block and the loss compiled alone), eager,
    tuned (max-autotune without graphs); graph (the whole step captured once, then replayed);
    optimizer (torch.optim.AdamW, fused, instead of `torch_update`), autocast (float32 parameters,
    with that optimizer), float32 (no bfloat16 at all), chunked (the loss 4096 rows at a time);
    flash, efficient, math: attention other than cuDNN's.
    """

    def __init__(self, words):
        known = {"compiled", "blocks", "eager", "tuned", "graph", "optimizer", "autocast",
                 "chunked", "float32", *BACKENDS}
        self.has = set(words.split("+"))
        if self.has - known:
            raise SystemExit(f"'{words}': {', '.join(self.has - known)} is no word of a variant")
        self.attention = next((name for name in BACKENDS if name in self.has), "cudnn")

    def call(self, model):
        """The model, compiled as asked."""
        mode = "max-autotune-no-cudagraphs" if "tuned" in self.has else None
        if "eager" in self.has:
            return model
        if "blocks" in self.has:
            for block in model.blocks:
                block.compile(mode=mode)
            model.loss = torch.compile(model.loss, mode=mode)
            return model
        return torch.compile(model, mode=mode)


class ModuleOptimizer:
    """torch.optim.AdamW, fused, on float32 masters (or float32 parameters, for autocast)."""

    def __init__(self, parameters, autocast):
        self.parameters = self.masters = parameters
        if not autocast:
            self.masters = [p.detach().clone() for p in parameters]
            for parameter in parameters:
                if parameter.dim() == 2:
                    parameter.data = parameter.data.bfloat16()
        matrices = [p for p in self.masters if p.dim() == 2]
        vectors = [p for p in self.masters if p.dim() != 2]
        self.rate = torch.tensor(1e-4, device=parameters[0].device)
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
            lr=self.rate, betas=(0.9, 0.95), eps=1e-8, fused=True)

    def step(self):
        """Clips to norm 1, updates, copies the masters back."""
        own = self.masters is not self.parameters
        if own:
            wide = [torch.empty_like(m) for m in self.masters]
            torch._foreach_copy_(wide, [p.grad for p in self.parameters])
            for parameter, master, gradient in zip(self.parameters, self.masters, wide):
                parameter.grad, master.grad = None, gradient
        norm = torch.nn.utils.clip_grad_norm_(self.masters, 1.0, foreach=True)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if own:
            with torch.no_grad():
                torch._foreach_copy_(self.parameters, self.masters)
        return norm


class Step:
    """A model, its batch and its optimizer; `run` starts one step and waits for nothing."""

    def __init__(self, sizes, recipe, device="cuda", weights=None):
        torch.manual_seed(1)
        self.recipe, self.device = recipe, torch.device(device).type
        # That cache of compiled graphs does not know which attention was asked for.
        torch._functorch.config.enable_autograd_cache = recipe.attention == "cudnn"
        sizes.loss_rows = 4096 if "chunked" in recipe.has else 0
        with torch.device(device):
            self.model = Model(sizes)
        if weights:
            self.model.load_state_dict(weights, strict=False)
        parameters = list(self.model.parameters())
        self.autocast = "autocast" in recipe.has
        if self.autocast or "optimizer" in recipe.has:
            self.update = ModuleOptimizer(parameters, self.autocast)
        else:
            stored = torch.float32 if "float32" in recipe.has else torch.bfloat16
            self.update = Update(parameters, "eager" not in recipe.has, stored)
        self.call = recipe.call(self.model)
        ids = torch.randint(
            0, sizes.vocabulary, (sizes.sequences, sizes.sequence + 1), device=device)
        self.tokens, self.targets = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()
        self.graph = None

    def run(self):
        """One step on `tokens` and `targets`: (loss, norm), still on the device."""
        if self.graph:
            self.graph.replay()
            return self.results
        cast = (torch.autocast(self.device, torch.bfloat16) if self.autocast
                else contextlib.nullcontext())
        kernel = (sdpa_kernel(BACKENDS[self.recipe.attention]) if self.device == "cuda"
                  else contextlib.nullcontext())
        with cast, kernel:
            loss = self.call(self.tokens, self.targets)
        loss.backward()
        return loss.detach(), self.update.step()

    def capture(self):
        """Records a step as a CUDA graph; later steps replay it."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(2):
                self.run()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.results = self.run()
        self.graph = graph


def timed(step, rounds, warm_ups):
    """Seconds of each step, between events on the device; the host runs ahead."""
    for _ in range(warm_ups):
        step.run()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(rounds + 1)]
    marks[0].record()
    for mark in marks[1:]:
        step.run()
        mark.record()
    torch.cuda.synchronize()
    return [a.elapsed_time(b) * 1e-3 for a, b in zip(marks, marks[1:])]


def matrix_rate(size=8192):
    """FLOP/s of one big bfloat16 product on random numbers, as `krait bench step` measures it."""
    left, right = (torch.rand(size, size, device="cuda").sub_(0.5).bfloat16() for _ in range(2))
    out = torch.empty_like(left)
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(13)]
    for mark in marks:
        mark.record()
        torch.mm(left, right.T, out=out)
    torch.cuda.synchronize()
    seconds = [a.elapsed_time(b) * 1e-3 for a, b in zip(marks[2:], marks[3:])]
    return 2 * size ** 3 / statistics.median(seconds)


def profile(step, path, steps=2, rows=25):
    """Writes the kernels that take the most time of a step, with calls and milliseconds each."""
    activities = [torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as result:
        for _ in range(steps):
            step.run()
        torch.cuda.synchronize()
    found = [(e.self_device_time_total / steps * 1e-3, e.count / steps, e.key)
             for e in result.key_averages() if e.self_device_time_total > 0]
    found.sort(reverse=True)
    lines = [f"kernels of one step: {sum(f[0] for f in found):.2f} ms in "
             f"{sum(f[1] for f in found):.0f} calls"]
    lines += [f"{ms:9.3f} ms {calls:6.0f} calls {1e3 * ms / calls:9.1f} us  {name[:150]}"
              for ms, calls, name in found[:rows]]
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")


def measure(sizes, words, options):
    """One variant's figures as a dictionary."""
    started = time.perf_counter()
    step = Step(sizes, Recipe(words))
    first = float(step.run()[0])
    compiled = time.perf_counter() - started
    if "graph" in step.recipe.has:
        step.capture()
    seconds = timed(step, options.rounds, options.warm_ups)
    peak = torch.cuda.max_memory_allocated()
    last = float(step.run()[0])
    if not last < first - 0.1:
        raise RuntimeError(f"the loss went from {first:.3f} to {last:.3f}: steps that do not learn "
                           "are not timed (zeros need less power and look faster)")
    if options.kernels:
        profile(step, f"{options.kernels}-{words}.txt")
    return {"name": words, "tokens": step.tokens.numel(), "seconds": seconds,
            "firstStep": compiled, "peakBytes": peak, "loss": last}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_shape(parser)
    parser.add_argument("--variants", default="compiled")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--warm-ups", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1e9, help="seconds; start no variant after")
    parser.add_argument("--kernels", help="write the kernels of each variant to THIS-variant.txt")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    began = time.perf_counter()
    sizes = shape(options)
    rate, flops = matrix_rate(), step_flops(sizes)
    report = {"torch": torch.__version__, "gpu": torch.cuda.get_device_name(),
              "matrixRate": rate, "modelFlops": flops, "variants": [], "refused": {}}
    if not options.json:
        print(f"PyTorch {torch.__version__}, {report['gpu']}; matrix rate {rate * 1e-12:.0f} "
              f"TFLOP/s; a step needs {flops * 1e-12:.2f} TFLOP")
    for words in options.variants.split(","):
        if time.perf_counter() - began > options.limit:
            print(f"{words}: not started, {options.limit:.0f} s are over", file=sys.stderr)
            continue
        try:
            found = measure(sizes, words, options)
        except (RuntimeError, torch.OutOfMemoryError) as error:
            report["refused"][words] = str(error)[:300]
            print(f"{words}: {str(error)[:300]}", file=sys.stderr, flush=True)
            continue
        finally:
            torch._dynamo.reset()
            torch.cuda.empty_cache()
        report["variants"].append(found)
        seconds = statistics.median(found["seconds"])
        if not options.json:
            print(f"{words:24} {seconds * 1e3:8.2f} ms {found['tokens'] / seconds:9.0f} tokens/s "
                  f"MFU {100 * flops / seconds / 989e12:5.1f} % of 989, "
                  f"{100 * flops / seconds / rate:5.1f} % of the rate; "
                  f"{found['peakBytes'] / 2**30:.1f} GiB; first step {found['firstStep']:.0f} s; "
                  f"loss {found['loss']:.3f}", flush=True)
    if options.json:
        print(json.dumps(report))


if __name__ == "__main__":
    main()
