"""What masked_loss.py and kept_energy.py share: how blocks of tokens choose their neurons, as Krait does."""

import torch


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
