"""Training steps of krait and of PyTorch on one NVIDIA GPU, in turn, a process each.

Every round starts krait, then PyTorch; both time the steps between events on the device, after
warm-up, so that start-up and compilation do not count. PyTorch's compiled kernels are cached, or
every round would compile again.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

# Name, options of both programs.
SHAPES = {
    "124m": ["--preset", "124m", "--sequences", "16"],
    "1b": ["--preset", "1b", "--sequences", "4"],
    "7b-8": ["--preset", "7b", "--layers", "8", "--vocabulary", "32768", "--sequences", "4"],
}
# The fastest of torch_cuda.py's variants on an H100, by shape; where two come close, both run.
BEST = {"124m": "compiled", "1b": "blocks,blocks+chunked", "7b-8": "blocks"}


def called(command):
    """The JSON object that a program prints on a line of its own; None when it failed."""
    done = subprocess.run(command, capture_output=True, text=True)
    objects = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not objects:
        print(f"{' '.join(command)} failed:\n{(done.stderr or done.stdout)[-1500:]}",
              file=sys.stderr)
        return None
    return json.loads(objects[-1])


def krait(options, shape, extra):
    return called(
        [options.krait, "bench", "step", "--json", "--backend", "cuda", "--only", "dense",
         "--rounds", str(options.steps), "--warm-ups", "3", *SHAPES[shape], *extra])


def peer(options, shape):
    command = [sys.executable, "torch_cuda.py", "--json", "--rounds", str(options.steps),
               "--variants", options.variant or BEST[shape], *SHAPES[shape]]
    if options.kernels:
        command += ["--kernels", os.path.join(options.kernels, f"torch-{shape}")]
    return called(command)


def collect(options, shape):
    """{name: [figures of a round]}; figures are tokens, seconds, bytes, flops, rate."""
    rounds = {}
    for number in range(options.rounds):
        for name, extra in (("krait", []), ("krait, any order", ["--no-reproducible"])):
            report = krait(options, shape, extra)
            for variant in (report or {}).get("variants", []):
                rounds.setdefault(name, []).append(dict(
                    tokens=variant["tokens"], seconds=statistics.median(variant["seconds"]),
                    bytes=variant["allocatedBytes"], flops=variant["modelFlops"][0],
                    rate=variant["matrixRate"][0], machine=report["machine"]))
        report = peer(options, shape)
        for variant in (report or {}).get("variants", []):
            rounds.setdefault(f"PyTorch {variant['name']}", []).append(dict(
                tokens=variant["tokens"], seconds=statistics.median(variant["seconds"]),
                bytes=variant["peakBytes"], flops=report["modelFlops"],
                rate=report["matrixRate"], machine=f"PyTorch {report['torch']}"))
        for words, reason in (report or {}).get("refused", {}).items():
            print(f"{shape}: PyTorch {words}: {reason}", file=sys.stderr)
        print(f"{shape}: round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
        if number + 1 < options.rounds and rounds:
            print(table(shape, rounds, options), file=sys.stderr, flush=True)
    return rounds


def table(shape, rounds, options):
    """Medians over the rounds; the ratio is taken within rounds."""
    peers = [n for n in rounds if n.startswith("PyTorch")]
    best = min(peers, key=lambda n: statistics.median(r["seconds"] for r in rounds[n]),
               default=None)
    machines = "; ".join(dict.fromkeys(r["machine"] for all in rounds.values() for r in all))
    lines = [f"{shape}: {' '.join(SHAPES[shape])}, dense; {options.rounds} rounds of "
             f"{options.steps} steps; {machines}",
             f"{'':26} {'ms':>8} {'tokens/s':>9} {'x PyTorch':>10} {'(rounds)':>14} "
             f"{'TFLOP/s':>8} {'% of 989':>9} {'% of rate':>10} {'GiB':>6}"]
    for name, found in rounds.items():
        seconds = statistics.median(r["seconds"] for r in found)
        ratios = [a["seconds"] / b["seconds"] for a, b in zip(rounds[best], found)] if best else []
        speed = found[0]["flops"] / seconds
        rate = statistics.median(r["rate"] for r in found)
        text = f"{statistics.median(ratios):10.2f}" if ratios else f"{'-':>10}"
        span = f"{min(ratios):.2f} to {max(ratios):.2f}" if ratios else "-"
        lines.append(
            f"{name:26} {seconds * 1e3:8.2f} {found[0]['tokens'] / seconds:9.0f} {text} "
            f"{span:>14} {speed * 1e-12:8.1f} {100 * speed / 989e12:9.1f} "
            f"{100 * speed / rate:10.1f} {found[0]['bytes'] / 2**30:6.1f}")
    return "\n".join(lines) + "\n"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", choices=["cuda"], default="cuda")
    parser.add_argument("--shapes", default=",".join(SHAPES), help="some of " + ", ".join(SHAPES))
    parser.add_argument("--variant", help="of torch_cuda.py; default: the best known")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=10, help="steps of a round")
    parser.add_argument("--kernels", help="a folder for the kernels of PyTorch's step")
    parser.add_argument("--krait", default="../../.build/release/krait")
    options = parser.parse_args(arguments)
    unknown = [s for s in options.shapes.split(",") if s not in SHAPES]
    if unknown:
        parser.error(f"--shapes {unknown[0]}: must be some of {', '.join(SHAPES)}")
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", "/tmp/torch-inductor-cache")
    for shape in options.shapes.split(","):
        print(table(shape, collect(options, shape), options), flush=True)


if __name__ == "__main__":
    main()
