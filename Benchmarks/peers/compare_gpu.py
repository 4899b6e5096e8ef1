"""Training steps of krait and of PyTorch on one NVIDIA GPU, in turn, a process each.

A GPU at its power limit slows down as it warms up, so a round goes there and back: krait, krait in
any order, PyTorch, krait in any order, krait. A drift then hits the mean of krait's two runs as it
hits PyTorch's one in the middle. Every process steps as long as the others before it counts, so that
none is timed on a GPU that rested while it started or compiled; start-up does not count. PyTorch's
compiled kernels are cached, or every round would compile again.
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
# The fastest of torch_cuda.py's variants on an H100, by shape.
BEST = {"124m": "compiled", "1b": "blocks", "7b-8": "blocks"}
# Steps that fill about 1.5 seconds: so many before the ones that count, and so many that do.
STEPS = {"124m": 50, "1b": 7, "7b-8": 6}
MODES = {"krait": [], "krait, any order": ["--no-reproducible"]}


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
    steps = str(options.steps or STEPS[shape])
    return called(
        [options.krait, "bench", "step", "--json", "--backend", "cuda", "--only", "dense",
         "--rounds", steps, "--warm-ups", steps, *SHAPES[shape], *extra])


def peer(options, shape):
    steps = str(options.steps or STEPS[shape])
    command = [sys.executable, "torch_cuda.py", "--json", "--rounds", steps, "--warm-ups", steps,
               "--variants", options.variant or BEST[shape], *SHAPES[shape]]
    if options.kernels:
        command += ["--kernels", os.path.join(options.kernels, f"torch-{shape}")]
    return called(command)


def collect(options, shape):
    """{name: [figures of a round]}; figures are tokens, seconds of every run, bytes, flops, rate."""
    rounds = {}
    for number in range(options.rounds):
        found = {}
        for name in MODES:
            krait_figures(options, shape, name, found)
        report = peer(options, shape)
        for variant in (report or {}).get("variants", []):
            found[f"PyTorch {variant['name']}"] = dict(
                tokens=variant["tokens"], seconds=[statistics.median(variant["seconds"])],
                bytes=variant["peakBytes"], flops=report["modelFlops"],
                rate=report["matrixRate"], machine=f"PyTorch {report['torch']}")
            said(shape, f"PyTorch {variant['name']}", found[f"PyTorch {variant['name']}"])
        for words, reason in (report or {}).get("refused", {}).items():
            print(f"{shape}: PyTorch {words}: {reason}", file=sys.stderr)
        for name in reversed(MODES):
            krait_figures(options, shape, name, found)
        for name, figures in found.items():
            rounds.setdefault(name, []).append(figures)
        print(f"{shape}: round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
        if number + 1 < options.rounds and rounds:
            print(table(shape, rounds, options), file=sys.stderr, flush=True)
    return rounds


def krait_figures(options, shape, name, found):
    """Runs krait in a mode and adds its median to the mode's runs of this round."""
    report = krait(options, shape, MODES[name])
    for variant in (report or {}).get("variants", []):
        figures = found.setdefault(name, dict(
            tokens=variant["tokens"], seconds=[], bytes=variant["allocatedBytes"],
            flops=variant["modelFlops"][0], rate=variant["matrixRate"][0],
            machine=report["machine"]))
        figures["seconds"].append(statistics.median(variant["seconds"]))
        said(shape, name, figures)


def said(shape, name, figures):
    """Tells what a run measured as soon as it is known."""
    print(f"{shape}: {name}: {1e3 * figures['seconds'][-1]:.2f} ms", file=sys.stderr, flush=True)


def table(shape, rounds, options):
    """Medians over the rounds of the mean of a round's runs; the ratio is taken within rounds."""
    mean = {name: [statistics.mean(r["seconds"]) for r in found] for name, found in rounds.items()}
    peers = [n for n in rounds if n.startswith("PyTorch")]
    best = min(peers, key=lambda n: statistics.median(mean[n]), default=None)
    machines = "; ".join(dict.fromkeys(r["machine"] for all in rounds.values() for r in all))
    steps = options.steps or STEPS[shape]
    lines = [f"{shape}: {' '.join(SHAPES[shape])}, dense; rounds: {options.rounds}, steps of a run: "
             f"{steps} after {steps}; {machines}",
             f"{'':26} {'ms':>8} {'(runs)':>18} {'tokens/s':>9} {'x PyTorch':>10} "
             f"{'TFLOP/s':>8} {'% of 989':>9} {'% of rate':>10} {'GiB':>6}"]
    for name, found in rounds.items():
        seconds = statistics.median(mean[name])
        ratios = [a / b for a, b in zip(mean[best], mean[name])] if best else []
        speed = found[0]["flops"] / seconds
        rate = statistics.median(r["rate"] for r in found)
        runs = [1e3 * s for r in found for s in r["seconds"]]
        text = f"{statistics.median(ratios):10.3f}" if ratios else f"{'-':>10}"
        lines.append(
            f"{name:26} {seconds * 1e3:8.2f} {f'{min(runs):.2f} to {max(runs):.2f}':>18} "
            f"{found[0]['tokens'] / seconds:9.0f} {text} {speed * 1e-12:8.1f} "
            f"{100 * speed / 989e12:9.1f} {100 * speed / rate:10.1f} "
            f"{found[0]['bytes'] / 2**30:6.1f}")
    return "\n".join(lines) + "\n"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", choices=["cuda"], default="cuda")
    parser.add_argument("--shapes", default=",".join(SHAPES), help="some of " + ", ".join(SHAPES))
    parser.add_argument("--variant", help="of torch_cuda.py; default: the best known")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--steps", type=int, help="steps of a run that count, after as many that do not")
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
