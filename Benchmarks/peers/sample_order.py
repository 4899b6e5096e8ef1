"""The order in which `krait train` reads one data set: the same windows, sample by sample."""

import glob
import os

import numpy

MASK = (1 << 64) - 1


def split_mix(state):
    """(next state, number) of SplitMix64."""
    state = (state + 0x9E3779B97F4A7C15) & MASK
    z = state
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return state, z ^ (z >> 31)


class Permutation:
    """A four-round Feistel network on 0 ..< count that walks on until it falls inside."""

    def __init__(self, count, seed):
        self.count = count
        bits = 2
        while bits < 62 and (1 << bits) < count:
            bits += 2
        self.half = bits // 2
        self.keys, state = [], seed & MASK
        for _ in range(4):
            state, key = split_mix(state)
            self.keys.append(key)

    def __getitem__(self, index):
        value = index
        while True:
            value = self.scramble(value)
            if value < self.count:
                return value

    def scramble(self, value):
        mask = (1 << self.half) - 1
        left, right = value >> self.half, value & mask
        for key in self.keys:
            mixed = ((right ^ key) * 0xBF58476D1CE4E5B9) & MASK
            mixed ^= mixed >> 29
            mixed = (mixed * 0x94D049BB133111EB) & MASK
            mixed ^= mixed >> 32
            left, right = right, left ^ (mixed & mask)
        return left << self.half | right


class Samples:
    """Windows of `length` + 1 ids from a folder of llm.c shards (uint16), in krait's order."""

    def __init__(self, folder, length, seed):
        paths = sorted(p for p in glob.glob(os.path.join(folder, "*.bin"))
                       if "train" in os.path.basename(p))
        self.shards = [numpy.memmap(p, dtype="<u2", mode="r", offset=1024) for p in paths]
        if not self.shards:
            raise SystemExit(f"'{folder}' has no *train*.bin; make some with 'krait prepare'")
        self.length, self.seed = length, seed
        self.windows = [(len(s) - 1) // length for s in self.shards]

    def __getitem__(self, sample):
        epoch, index = divmod(sample, sum(self.windows))
        window = Permutation(
            sum(self.windows), self.seed * 0x9E3779B97F4A7C15 + epoch)[index]
        for shard, count in zip(self.shards, self.windows):
            if window < count:
                start = window * self.length
                return numpy.asarray(shard[start:start + self.length + 1], dtype=numpy.int64)
            window -= count

    def batch(self, first, count):
        """[count, length + 1] ids."""
        return numpy.stack([self[first + i] for i in range(count)])
