"""Training steps of krait and of PyTorch, in turn on the same machine.

PyTorch's models stay in this process; every round runs a few of their steps, then starts krait for
a few of its own. A slow minute of the machine hits all of them alike.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

import torch

from torch_train import Variant, add_sizes, filled


def krait_round(path, sizes):
    """{name: [(seconds, processor seconds)]} of one krait process."""
    command = [path, "bench", "step", "--json", "--backend", "cpu", "--warm-ups", "1",
               "--rounds", str(sizes.steps)]
    for name in ("width", "layers", "hidden", "heads", "vocabulary", "sequence", "sequences",
                 "threads", "density"):
        command += [f"--{name}", str(getattr(sizes, name))]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    report = json.loads(done.stdout)
    return report, {
        f"krait {variant['name']}": list(zip(variant["seconds"], variant["processorSeconds"]))
        for variant in report["variants"]}


def torch_variants(sizes):
    """Eager, and compiled where a C++ compiler is there."""
    found = {"PyTorch eager": Variant(sizes, False)}
    if sizes.no_compile:
        return found
    if not (shutil.which("g++") or shutil.which("clang++")):
        print("torch.compile is left out: it needs g++ or clang++", file=sys.stderr)
        return found
    compiled = Variant(sizes, True)
    started = time.perf_counter()
    try:
        compiled.step()
    except Exception as error:  # Whatever a compiler may answer.
        print(f"torch.compile is left out: {error}", file=sys.stderr)
        return found
    print(f"torch.compile took {time.perf_counter() - started:.0f} s", file=sys.stderr)
    found["PyTorch compiled"] = compiled
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_sizes(parser)
    parser.add_argument("--density", type=float, default=0.125)
    parser.add_argument("--steps", type=int, default=2, help="steps of a variant in a round")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--krait", default="../../.build/release/krait")
    sizes = filled(parser.parse_args())
    torch.set_num_threads(sizes.threads)
    if os.getloadavg()[0] > 0.5:
        print(f"load average {os.getloadavg()[0]:.1f}: PyTorch's threads wait by spinning and "
              "suffer most from company; measure on a quiet machine", file=sys.stderr)
    variants = torch_variants(sizes)
    for variant in variants.values():
        variant.step()
    times, medians = {}, {}
    for number in range(sizes.rounds):
        own = {}
        for name, variant in variants.items():
            own[name] = [variant.step() for _ in range(sizes.steps)]
        report, krait = krait_round(sizes.krait, sizes)
        own.update(krait)
        for name, pairs in own.items():
            times.setdefault(name, []).extend(pairs)
            medians.setdefault(name, []).append(statistics.median(pair[0] for pair in pairs))
        print(f"round {number + 1} of {sizes.rounds}", file=sys.stderr)
    print_table(report, sizes, times, medians)


def print_table(report, sizes, times, medians):
    """Medians of all steps, and the best PyTorch's time over each variant's."""
    tokens = sizes.sequences * sizes.sequence
    seconds = {name: statistics.median(p[0] for p in pairs) for name, pairs in times.items()}
    processor = {name: statistics.median(p[1] for p in pairs) for name, pairs in times.items()}
    peers = [name for name in times if name.startswith("PyTorch")]
    best = min(peers, key=seconds.get)
    print(report["benchmark"].split("; median")[0])
    print(f"krait: {report['machine']}; PyTorch {torch.__version__}, {sizes.threads} threads; "
          f"{sizes.rounds} rounds of {sizes.steps} steps")
    print(f"{'variant':26} {'ms':>9} {'tokens/s':>9} {'processor s':>12} {'x best PyTorch':>15} "
          f"{'(range of rounds)':>18} {'x by processor':>15}")
    for name in times:
        ratios = [a / b for a, b in zip(medians[best], medians[name])]
        print(f"{name:26} {seconds[name] * 1e3:9.1f} {tokens / seconds[name]:9.0f} "
              f"{processor[name]:12.2f} {statistics.median(ratios):15.2f} "
              f"{f'{min(ratios):.2f} to {max(ratios):.2f}':>18} "
              f"{processor[best] / processor[name]:15.2f}")


if __name__ == "__main__":
    main()
