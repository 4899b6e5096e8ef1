"""How much of its energy a trained model's feed-forward networks keep, by how neurons are chosen.

The model is one that `krait export RUN --format hf FOLDER` wrote. Batches of text go through it once; for
some layers tokens are then sorted into blocks as Krait does, by centroids of k-means on the first three
batches, and block after block keeps its K neurons by every way of choosing. Printed is the share of the sum
of squared activations that these hold, on the last two batches, and the share of a list that is new from
block to block. Ways that remember have seen the batches in between, with the same weights, 16 samples a
block. Nothing is trained.

  exact            all tokens of the block
  N samples        every so many-th token
  … + neighbours   with half of the samples of the blocks beside it, a quarter of those beyond
  … + memory       with what is remembered for the clusters of four of its tokens (feedForward.memoryRate)
  memory alone
  rank R           all tokens, in the R directions that most of the inputs' energy lies in

Needs: pip install torch transformers numpy
Run:   python Benchmarks/linux/kept_energy.py FOLDER SHARD [--device cuda]
"""

import numpy
import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM

from choices import kept_neurons, kmeans, largest, parser, rising, route, with_neighbours

FOR_CENTROIDS, JUDGED, BLOCKS_AT_ONCE = 3, 2, 64


def arguments():
    reader = parser(__doc__.split("\n")[0])
    reader.add_argument("--batches", type=int, default=27)
    reader.add_argument("--clusters", type=int, nargs="+", default=[48, 192])
    reader.add_argument("--layers", type=int, nargs="+", default=[3, 6, 9], help="layer 0 keeps all")
    reader.add_argument("--ranks", type=int, nargs="+", default=[64, 96, 128])
    reader.add_argument("--rate", type=float, default=0.04, help="of memory")
    options = reader.parse_args()
    if options.batches <= FOR_CENTROIDS + JUDGED:
        reader.error(f"--batches is {options.batches}; it must be at least {FOR_CENTROIDS + JUDGED + 1}")
    if options.block % 32 or options.sequences * options.length % options.block:
        reader.error("--block must be a multiple of 32, and batches whole blocks")
    return options


def inputs(model, options):
    """Of the networks of the layers asked for: a list of batches [T, d] for each."""
    found = {layer: [] for layer in options.layers}
    for layer in options.layers:
        model.model.layers[layer].mlp.register_forward_pre_hook(
            lambda _, given, layer=layer: found[layer][-1].append(given[0].flatten(0, 1).to(torch.bfloat16))
        )
    tokens = numpy.fromfile(options.shard, dtype=numpy.uint16)[512:]
    random = numpy.random.default_rng(5)
    for _ in range(options.batches):
        for batches in found.values():
            batches.append([])
        starts = random.integers(0, len(tokens) - options.length, options.sequences)
        text = numpy.stack([tokens[s : s + options.length].astype(numpy.int64) for s in starts])
        for part in torch.tensor(text, device=options.device).split(16):
            model.model(part, use_cache=False)
        for batches in found.values():
            batches[-1] = torch.cat(batches[-1])
    return found


def centroids_in_row(x, clusters):
    """Centroids of directions [T, d], neighbours alike: the ends of pieces that share most tokens are joined."""
    first = x[torch.randperm(len(x), device=x.device)[:clusters]]
    centroids = kmeans(x, first, 16, lambda _: x[torch.randint(len(x), (clusters,), device=x.device)])
    pairs = (x @ centroids.T).topk(2, 1).indices
    shared = torch.bincount(pairs[:, 0] * clusters + pairs[:, 1], minlength=clusters**2).view(clusters, clusters)
    shared = (shared + shared.T).cpu()
    pieces = [[cluster] for cluster in range(clusters)]
    home = list(range(clusters))
    for pair in shared.flatten().argsort(descending=True, stable=True).tolist():
        first, second = divmod(pair, clusters)
        one, other = pieces[home[first]], pieces[home[second]]
        if one is other or first not in (one[0], one[-1]) or second not in (other[0], other[-1]):
            continue
        if one[-1] != first:
            one.reverse()
        if other[0] != second:
            other.reverse()
        one += other
        for cluster in other:
            home[cluster] = home[first]
    return centroids[pieces[home[0]]]


def kept(sums, exact, count):
    """What the largest sums hold of the exact ones, and how much of a list is new."""
    mask = largest(sums, count)
    new = 1 - (mask[1:] & mask[:-1]).sum() / ((len(mask) - 1) * count)
    return float((exact * mask).sum() / exact.sum()), float(new)


class Layer:
    """A layer's neurons, as they judge blocks of its input."""

    def __init__(self, network, batches, options):
        self.up, self.options = network.up_proj.weight, options
        rows = torch.cat(batches[:FOR_CENTROIDS]).float()
        self.directions = F.normalize(rows, dim=-1)
        self.basis = torch.linalg.eigh(rows.T @ rows).eigenvectors.flip(1)
        self.batches = batches[FOR_CENTROIDS:]

    def energies(self, rows, up=None):
        """Means of squared activations, rows [blocks, some, d] -> [blocks, f]."""
        up = self.up if up is None else up
        parts = [
            F.relu(part.to(up.dtype) @ up.T).float().pow(4).mean(1) for part in rows.split(BLOCKS_AT_ONCE)
        ]
        return torch.cat(parts)

    def judge(self, clusters, count):
        """The shares of every way of choosing, for each judged batch."""
        options = self.options
        centroids = centroids_in_row(self.directions, clusters)
        memory = torch.zeros(clusters, len(self.up), device=self.up.device)
        found = []
        for index, batch in enumerate(self.batches):
            nearest, order = route(batch.float(), centroids)
            blocks = batch[order].view(-1, options.block, batch.shape[1])
            places = [options.block * eighth // 8 for eighth in (1, 3, 5, 7)]
            marks = F.one_hot(nearest[order].view(-1, options.block)[:, places], clusters).float().mean(1)
            samples = {n: self.energies(blocks[:, 1 :: options.block // n]) for n in (8, 16, 32)}
            if index >= len(self.batches) - JUDGED:
                remembered, exact = marks @ memory, self.energies(blocks)
                ways = {"exact": exact, "memory alone": remembered}
                for n, sums in samples.items():
                    ways[f"{n} samples"] = sums
                    ways[f"{n} samples + neighbours"] = with_neighbours(sums)
                    ways[f"{n} samples + memory"] = sums + remembered
                for rank in options.ranks:
                    basis = self.basis[:, :rank].to(self.up.dtype)
                    sums = self.energies(blocks.to(basis.dtype) @ basis, self.up @ basis)
                    ways[f"rank {rank}"] = sums
                    ways[f"rank {rank} + 1/4 of 16 samples"] = sums + samples[16] / 4
                found.append({way: kept(sums, exact, count) for way, sums in ways.items()})
            weights = marks.sum(0)
            means = (marks.T @ samples[16]) / weights.clamp(min=1e-9)[:, None]
            memory = torch.where(weights[:, None] > 0, memory + options.rate * (means - memory), memory)
        return found


def main():
    options = arguments()
    torch.manual_seed(0)
    storage = torch.float32 if options.device == "cpu" else torch.bfloat16
    model = AutoModelForCausalLM.from_pretrained(options.folder, dtype=storage).to(options.device)
    layers, neurons = model.config.num_hidden_layers, model.config.intermediate_size

    with torch.no_grad():
        found = inputs(model, options)
        judged = {n: {} for n in options.clusters}
        for layer in options.layers:
            one = Layer(model.model.layers[layer].mlp, found.pop(layer), options)
            for clusters in options.clusters:
                count = kept_neurons(neurons, rising(layer, layers, 1 / 8), 64)
                for shares in one.judge(clusters, count):
                    for way, pair in shares.items():
                        judged[clusters].setdefault(way, {}).setdefault(layer, []).append(pair)
    for clusters, ways in judged.items():
        names = " ".join(f"layer {layer}".rjust(8) for layer in options.layers)
        print(f"\n{clusters} clusters".ljust(32), f"kept  changes  {names}")
        for way, by_layer in ways.items():
            means = {n: torch.tensor(pairs).mean(0).tolist() for n, pairs in by_layer.items()}
            share, new = torch.tensor(list(means.values())).mean(0).tolist()
            print(f"{way:30} {share:.4f}    {new:.3f}  " + " ".join(f"{pair[0]:8.4f}" for pair in means.values()))


main()
