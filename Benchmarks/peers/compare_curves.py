"""Loss curves side by side: differences of every pair, a CSV and a plot.

python compare_curves.py --out parity krait=metrics.jsonl 'PyTorch, compiled=compiled.csv' …
Curves whose names are the same up to a comma are a group: the second table has means over pairs.
"""

import argparse
import csv
import itertools
import json
import statistics

COLOURS = ["#0b6e99", "#d9480f", "#2b8a3e", "#862e9c", "#c92a2a", "#5c5f66"]


def read(path):
    """[loss of step 1, of step 2, …] from krait's metrics.jsonl or torch_curve.py's CSV."""
    if path.endswith(".jsonl"):
        with open(path) as file:
            records = [json.loads(line) for line in file if line.strip()]
        return [r["loss"] for r in sorted(
            (r for r in records if r["kind"] == "step"), key=lambda r: r["step"])]
    with open(path) as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def smooth(values, width):
    """The mean of the last `width` values."""
    return [statistics.fmean(values[max(0, i - width + 1):i + 1]) for i in range(len(values))]


def panel(lines, top, height, title, zero=False):
    """SVG of one plot: {name: values}, steps from left to right."""
    left, width = 60, 700
    values = [v for line in lines.values() for v in line]
    low, high = min(values), max(values)
    if zero:
        low, high = min(low, 0), max(high, 0)
    span = (high - low) or 1
    steps = max(len(line) for line in lines.values())

    def point(index, value):
        return (f"{left + width * index / max(1, steps - 1):.1f},"
                f"{top + height * (high - value) / span:.1f}")
    parts = [f'<text x="{left}" y="{top - 8}">{title}</text>',
             f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" '
             'stroke="#adb5bd"/>']
    for share in (0, 0.5, 1):
        value = low + span * share
        y = top + height * (1 - share)
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for colour, (name, line) in zip(itertools.cycle(COLOURS), lines.items()):
        points = " ".join(point(i, v) for i, v in enumerate(line))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" '
                     'stroke-width="1.3"/>')
    return parts + [f'<text x="{left + width}" y="{top + height + 16}" text-anchor="end">'
                    f'step {steps}</text>']


def plot(path, curves):
    """Loss above; below, the difference of each from the second curve."""
    names = list(curves)
    base = names[1 if len(names) > 2 else 0]
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 640" '
             'font-family="sans-serif" font-size="12">',
             '<rect width="780" height="640" fill="white"/>']
    parts += panel(curves, 30, 220, "training loss, nats a token")
    differences = {
        name: smooth([a - b for a, b in zip(curves[name], curves[base])], 5) for name in names}
    parts += panel(differences, 300, 160, f"difference from '{base}', mean of 5 steps", True)
    for index, (colour, name) in enumerate(zip(itertools.cycle(COLOURS), names)):
        x, y = 60 + 350 * (index % 2), 500 + 18 * (index // 2)
        parts.append(f'<rect x="{x}" y="{y - 9}" width="14" height="9" fill="{colour}"/>'
                     f'<text x="{x + 20}" y="{y}">{name}</text>')
    with open(path, "w") as file:
        file.write("\n".join(parts + ["</svg>"]) + "\n")


def group_pairs(curves):
    """Of every two groups, or one: the pairs of their curves, and means over these pairs."""
    found = {}
    for first, second in itertools.combinations(curves, 2):
        groups = tuple(sorted(name.split(",")[0] for name in (first, second)))
        apart = [abs(a - b) for a, b in zip(curves[first], curves[second])]
        found.setdefault(groups, []).append((max(apart), statistics.fmean(apart)))
    print(f"\n{'groups':44} {'pairs':>5} {'max |difference|':>16} {'lowest':>8} {'highest':>8} "
          f"{'mean':>8} {'lowest':>8} {'highest':>8}")
    for groups, pairs in sorted(found.items()):
        maxima, means = zip(*pairs)
        print(f"{' - '.join(groups):44} {len(pairs):5} {statistics.fmean(maxima):16.5f} "
              f"{min(maxima):8.5f} {max(maxima):8.5f} {statistics.fmean(means):8.5f} "
              f"{min(means):8.5f} {max(means):8.5f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="writes OUT.csv and OUT.svg")
    parser.add_argument("curves", nargs="+", help="NAME=FILE")
    options = parser.parse_args()
    curves = {}
    for item in options.curves:
        name, _, path = item.rpartition("=")
        curves[name] = read(path)
    steps = min(len(c) for c in curves.values())
    curves = {name: curve[:steps] for name, curve in curves.items()}
    print(f"{'pair, ' + str(steps) + ' steps':64} {'max |difference|':>16} {'mean':>8} "
          f"{'mean, last quarter':>19}")
    for first, second in itertools.combinations(curves, 2):
        apart = [abs(a - b) for a, b in zip(curves[first], curves[second])]
        print(f"{first + ' - ' + second:64} {max(apart):16.5f} {statistics.fmean(apart):8.5f} "
              f"{statistics.fmean(apart[-max(1, steps // 4):]):19.5f}")
    for name, curve in curves.items():
        print(f"{name:64} last loss {curve[-1]:.4f}, mean of the last 20 "
              f"{statistics.fmean(curve[-20:]):.4f}")
    group_pairs(curves)
    with open(options.out + ".csv", "w") as file:
        file.write("step," + ",".join(f'"{name}"' for name in curves) + "\n")
        for step, row in enumerate(zip(*curves.values()), 1):
            file.write(f"{step}," + ",".join(f"{value:.5f}" for value in row) + "\n")
    plot(options.out + ".svg", curves)


if __name__ == "__main__":
    main()
