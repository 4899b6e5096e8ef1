"""What masked_loss.py and kept_energy.py share: their arguments, how tokens become blocks, as Krait does it, and
how blocks choose their neurons."""

import argparse

import torch
import torch.nn.functional as F

ROUNDS_OF_KMEANS = 12


def parser(description):
    """The arguments that both have: a model, text and its blocks."""
    result = argparse.ArgumentParser(description=description)
    result.add_argument("folder", help="an exported model")
    result.add_argument("shard", help="a token shard of 16 bits a token")
    result.add_argument("--device", default="cpu", help="cpu or cuda (default cpu)")
    result.add_argument("--sequences", type=int, default=48, help="taken together")
    result.add_argument("--length", type=int, default=1024, help="tokens of a sequence")
    result.add_argument("--block", type=int, default=128, help="V, tokens of a block")
    return result


def kmeans(directions, centroids, fewest, fresh):
    """Centroids of directions [T, d]. One of less than `fewest` of them becomes its row of fresh(centroids)."""
    for _ in range(ROUNDS_OF_KMEANS):
        nearest = (directions @ centroids.T).argmax(1)
        sums = torch.zeros_like(centroids).index_add_(0, nearest, directions)
        enough = torch.bincount(nearest, minlength=len(centroids)) >= fewest
        centroids = torch.where(enough[:, None], F.normalize(sums, dim=-1), fresh(centroids))
    return centroids


def route(rows, centroids):
    """The nearest of a row of centroids for every token, and the order of tokens: by its place, then by the steps
    back to that of the second nearest."""
    nearest, second = (rows @ centroids.T).topk(2, 1).indices.T
    clusters = len(centroids)
    return nearest, (nearest * clusters + (nearest - second) % clusters).argsort(stable=True)


def with_neighbours(sums):
    """Block sums with half of those of the blocks beside, and a quarter of those beyond."""
    result = sums.clone()
    for distance, weight in ((1, 0.5), (2, 0.25)):
        result[distance:] += weight * sums[:-distance]
        result[:-distance] += weight * sums[distance:]
    return result


def largest(sums, kept):
    """A mask of the `kept` largest of every row."""
    return torch.zeros_like(sums, dtype=torch.bool).scatter_(1, sums.topk(kept, 1).indices, True)


def rising(layer, layers, density):
    """The density of a layer by the profile 'rising'; above 1 for the first at 1/8, which is dense."""
    if layer == 0:
        return 8 * density
    if layer >= layers - (layers + 3) // 4:
        return 2 * density
    return density / 4 if 12 * layer < 5 * layers else density


def kept_neurons(neurons, density, multiple):
    """K: that share of the neurons, rounded up to a multiple."""
    return -(-int(neurons * density) // multiple) * multiple
