"""What a trained model loses when its feed-forward networks keep fewer neurons, by how these are chosen.

The model is one that `krait export RUN --format hf FOLDER` wrote; tokens are routed into blocks by
k-means, as Krait does in the course of training, and the loss of --sequences held-out sequences (they may
overlap) is printed for every choice, above that of the whole model. After it stands, for every layer that
does not keep all, the first on the left, the share of its output that is lost for the input that it gets
in that pass: a sum of squared differences over one of squares. No training: what a choice loses at once.

Choices are made in the model's numbers (Krait's may be in 8 bits). Neighbouring blocks count by a half and a
quarter where samples choose, as `feedForward.neighbourWeight` 0.5 has it, and not where all tokens do.

Needs: pip install torch transformers numpy
Run:   python Benchmarks/linux/masked_loss.py FOLDER SHARD [--device cuda]

On a CPU take fewer sequences; blocks are the less alike for it.
"""

import math

import numpy
import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM

from choices import kept_neurons, kmeans, largest, parser, rising, route, with_neighbours


def arguments():
    reader = parser(__doc__.split("\n")[0])
    reader.add_argument("--clusters", type=int, default=48)
    reader.add_argument("--density", type=float, default=0.125, help="of the profile 'rising'; not with --first")
    reader.add_argument("--kept-multiple", type=int, default=64, help="K is rounded up to a multiple, as in training")
    reader.add_argument("--multiple", type=int, default=32, help="of each block's K where it varies")
    reader.add_argument("--first", action="store_true", help="only the first layer, at 1/2, 1/4 and 1/8")
    options = reader.parse_args()
    if options.block % 64:
        reader.error(f"--block is {options.block}; it must be a multiple of 64, of which 64 are sampled")
    if options.sequences * options.length % options.block:
        reader.error(f"{options.sequences} x {options.length} tokens are not whole blocks of {options.block}")
    return options


class Model:
    """The exported model and some held-out text; its feed-forward networks can be replaced for a pass."""

    def __init__(self, options):
        self.type = torch.float32 if options.device == "cpu" else torch.bfloat16
        whole = AutoModelForCausalLM.from_pretrained(options.folder, dtype=self.type).to(options.device)
        self.body, self.head = whole.model, whole.lm_head
        self.networks = [layer.mlp for layer in self.body.layers]
        self.neurons, self.layers = whole.config.intermediate_size, len(self.networks)
        tokens = numpy.fromfile(options.shard, dtype=numpy.uint16)[512:]
        starts = numpy.random.default_rng(5).integers(0, len(tokens) - options.length - 2, options.sequences)
        text = numpy.stack([tokens[s : s + options.length + 1].astype(numpy.int64) for s in starts])
        self.tokens = torch.tensor(text, device=options.device)

    def activations(self, x, layer):
        return F.relu(self.networks[layer].up_proj(x)).float().pow(2)

    def down(self, a, layer):
        return self.networks[layer].down_proj(a.to(self.type))

    def loss(self, feed_forward):
        """With feed_forward(rows [T, d], layer) for the networks."""
        for layer, network in enumerate(self.networks):
            network.forward = lambda x, layer=layer: feed_forward(x.flatten(0, 1), layer).view_as(x)
        rows = self.body(self.tokens[:, :-1], use_cache=False).last_hidden_state.flatten(0, 1)
        targets = self.tokens[:, 1:].reshape(-1)
        parts = [
            F.cross_entropy(self.head(rows[i : i + 4096]).float(), targets[i : i + 4096], reduction="sum")
            for i in range(0, len(rows), 4096)
        ]
        return float(sum(parts)) / len(rows)


class Router:
    """Orders tokens as Krait's router does: by the place of their nearest cluster in a row of clusters, then
    by the steps back to their second nearest. Its centroids are made in one go, and its row by likeness."""

    def __init__(self, clusters):
        self.clusters, self.centroids = clusters, {}

    def order(self, x, layer):
        x = F.normalize(x.float(), dim=-1)
        if layer not in self.centroids:
            self.centroids[layer] = self.find(x, layer)
        return route(x, self.centroids[layer])[1]

    def find(self, x, layer):
        first = torch.randperm(len(x), generator=torch.Generator().manual_seed(layer))[: self.clusters]
        centroids = kmeans(x, x[first.to(x.device)], 1, lambda before: before)
        likeness = (centroids @ centroids.T).fill_diagonal_(-9)
        row = [0]
        while len(row) < self.clusters:
            likeness[:, row[-1]] = -9
            row.append(int(likeness[row[-1]].argmax()))
        return centroids[row]


def energies(a, block, samples):
    """Sums of squares over a block's tokens, or over samples with the neighbouring blocks' beside them."""
    a = a.view(-1, block, a.shape[-1])
    if not samples:
        return a.pow(2).sum(1)
    return with_neighbours(a[:, :: block // samples].pow(2).sum(1))


def above_threshold(sums, kept, multiple):
    """As many a block as its sums ask for, the mean over blocks at most `kept`."""
    ordered, indices = sums.sort(1, descending=True)

    def counts(threshold):
        n = (ordered > math.exp(threshold)).sum(1)
        return ((n + multiple - 1) // multiple * multiple).clamp(min=multiple, max=sums.shape[1])

    low, high = -60.0, 30.0
    for _ in range(40):
        middle = (low + high) / 2
        if counts(middle).float().mean() > kept:
            low = middle
        else:
            high = middle
    places = torch.arange(sums.shape[1], device=sums.device)[None] < counts(high)[:, None]
    return torch.zeros_like(sums, dtype=torch.bool).scatter_(1, indices, places)


def main():
    options = arguments()
    model, router = Model(options), Router(options.clusters)
    f, layers = model.neurons, model.layers

    def loss(choose, densities):
        """`choose(activations, kept)` says what blocks keep."""
        lost = []

        def feed_forward(x, layer):
            if choose is None:
                router.order(x, layer)  # centroids of the whole model, the same for all that follows
            kept = kept_neurons(f, densities[layer], options.kept_multiple)
            if kept >= f:
                return model.down(model.activations(x, layer), layer)
            order = router.order(x, layer)
            a = model.activations(x[order], layer)
            masked = a * choose(a, kept).repeat_interleave(options.block, 0)
            y = model.down(masked, layer)
            whole = model.down(a, layer).float().pow(2).sum()
            lost.append(float(model.down(a - masked, layer).float().pow(2).sum() / whole))
            result = torch.empty_like(x)
            result[order] = y
            return result

        return model.loss(feed_forward), lost

    with torch.no_grad():
        whole, _ = loss(None, [1.0] * layers)
        print(f"the whole model: {whole:.5f}")

        def show(name, choose, densities):
            value, lost = loss(choose, densities)
            print(f"{name:44} {value - whole:+.5f}  " + " ".join(f"{share:.4f}" for share in lost), flush=True)

        def sums(a, samples):
            return energies(a, options.block, samples)

        def by(samples):
            return lambda a, kept: largest(sums(a, samples), kept)

        def threshold(samples):
            return lambda a, kept: above_threshold(sums(a, samples), kept, options.multiple)

        def twice(samples, wide, narrow):
            """Of wide K neurons that samples choose, the narrow K that all tokens choose."""

            def choose(a, kept):
                candidates = largest(sums(a, samples), min(f, int(wide * kept)))
                exact = torch.where(candidates, sums(a, 0), -1.0)
                return largest(exact, int(narrow * kept))

            return choose

        if options.first:
            for share in (1 / 2, 1 / 4, 1 / 8):
                densities = [share] + [1.0] * (layers - 1)
                for name, samples in (("16 samples", 16), ("all tokens", 0)):
                    show(f"{share} in the first layer, {name}", by(samples), densities)
                    show(f"{share} in the first layer, {name}, K varies", threshold(samples), densities)
            return
        densities = [min(1.0, rising(layer, layers, options.density)) for layer in range(layers)]
        for samples in (8, 16, 32, 64, 0):
            name = f"{samples} samples" if samples else "all tokens"
            for factor in (2, 1, 0.75, 0.5):
                chosen = by(samples)
                show(f"{name}, {factor} K", lambda a, k: chosen(a, min(f, int(factor * k))), densities)
            show(f"{name}, K varies", threshold(samples), densities)
        for samples in (8, 16, 32, 64):
            for wide in (1, 1.5, 2):
                for narrow in (1, 0.75, 0.5):
                    if wide > narrow:
                        show(f"{samples} samples {wide} K, then {narrow} K", twice(samples, wide, narrow), densities)


main()
