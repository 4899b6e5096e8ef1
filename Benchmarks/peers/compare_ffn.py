"""One feed-forward network, forward and backward: krait and PyTorch in turn."""

import argparse
import json
import os
import statistics
import subprocess
import sys

import torch

import torch_ffn


def krait_round(path, sizes):
    """(machine, {name: [seconds]}) of one krait process."""
    command = [path, "bench", "ffn", "--json", "--backend", "cpu",
               "--rounds", str(sizes.steps), "--densities", str(sizes.density)]
    for name in ("tokens", "width", "hidden", "block", "samples", "clusters", "threads"):
        command += [f"--{name}", str(getattr(sizes, name))]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    report = json.loads(done.stdout)
    return report["machine"], {f"krait {v['name']}": v["seconds"] for v in report["variants"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    torch_ffn.add_sizes(parser)
    parser.add_argument("--steps", type=int, default=3, help="passes of a variant in a round")
    parser.add_argument("--krait", default="../../.build/release/krait")
    sizes = parser.parse_args()
    torch.set_num_threads(sizes.threads)
    if os.getloadavg()[0] > 0.5:
        print(f"load average {os.getloadavg()[0]:.1f}: PyTorch's threads wait by spinning and "
              "suffer most from company; measure on a quiet machine", file=sys.stderr)
    both = torch_ffn.variants(sizes)
    for variant in both:
        torch_ffn.timed(variant)
    rounds = []
    for number in range(sizes.rounds):
        own = {f"PyTorch {v.name}": [torch_ffn.timed(v)[0] for _ in range(sizes.steps)]
               for v in both}
        machine, krait = krait_round(sizes.krait, sizes)
        own.update(krait)
        rounds.append({name: statistics.median(values) for name, values in own.items()})
        print(f"round {number + 1} of {sizes.rounds}", file=sys.stderr)
    print(f"Feed-forward network, forward and backward: T {sizes.tokens}, d {sizes.width}, "
          f"f {sizes.hidden}, V {sizes.block}, {sizes.samples} samples; krait's with the norm before it")
    print(f"krait: {machine}; PyTorch {torch.__version__}, {sizes.threads} threads; "
          f"{sizes.rounds} rounds of {sizes.steps}")
    print(f"{'variant':32} {'ms':>9} {'x own dense':>12} {'x PyTorch dense':>16}")
    for name in rounds[0]:
        own = "krait dense" if name.startswith("krait") else "PyTorch dense"
        def ratio(base):
            return statistics.median(r[base] / r[name] for r in rounds)
        print(f"{name:32} {statistics.median(r[name] for r in rounds) * 1e3:9.1f} "
              f"{ratio(own):12.2f} {ratio('PyTorch dense'):16.2f}")


if __name__ == "__main__":
    main()
