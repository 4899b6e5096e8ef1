"""Trains in PyTorch what krait trains: the same first weights, samples, schedule and optimizer.

python torch_curve.py --weights FOLDER --data SHARDS --steps 200 --variant compiled --out a.csv
The folder is what `krait export --format hf` wrote of a model that has not learned yet.
--orders forwards,backwards,1,2 trains once for each, from the same weights: the sequences of every
batch as they come, in reverse, or shuffled by a seed. Only the order of sums differs then.
"""

import argparse
import json
import os
import time
import types

import numpy
import torch
from safetensors.torch import load_file

from sample_order import Samples
from torch_cuda import Recipe, Step


def sizes_of(folder, sequence, sequences):
    """The model's shape, from config.json."""
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    theta = config.get("rope_theta") or config["rope_parameters"]["rope_theta"]
    return types.SimpleNamespace(
        width=config["hidden_size"], hidden=config["intermediate_size"],
        layers=config["num_hidden_layers"], heads=config["num_attention_heads"],
        key_value_heads=config["num_key_value_heads"],
        head_width=config["hidden_size"] // config["num_attention_heads"],
        vocabulary=config["vocab_size"], theta=theta, tied=config["tie_word_embeddings"],
        sequence=sequence, sequences=sequences, loss_rows=0)


def weights_of(folder, layers):
    """Hugging Face's names to those of torch_model.py."""
    found = load_file(os.path.join(folder, "model.safetensors"))
    weights = {"embedding.weight": found["model.embed_tokens.weight"],
               "final_norm.weight": found["model.norm.weight"]}
    if "lm_head.weight" in found:
        weights["output.weight"] = found["lm_head.weight"]
    for layer in range(layers):
        own, theirs = f"blocks.{layer}.", f"model.layers.{layer}."
        weights[own + "query_key_value.weight"] = torch.cat(
            [found[f"{theirs}self_attn.{n}_proj.weight"] for n in "qkv"])
        for name, there in (("attention_output", "self_attn.o_proj"),
                            ("attention_norm", "input_layernorm"),
                            ("feed_forward_norm", "post_attention_layernorm"),
                            ("feed_forward.up", "mlp.up_proj"),
                            ("feed_forward.down", "mlp.down_proj")):
            weights[f"{own}{name}.weight"] = found[f"{theirs}{there}.weight"]
    return weights


def rate(step, options):
    """The warm-up, stable, decay schedule as krait computes it; steps count from 0."""
    if step < options.warmup:
        return options.rate * (step + 1) / options.warmup
    length = options.decay * options.steps
    left = options.steps - 1 - step
    if left >= length:
        return options.rate
    return options.rate * (options.floor + (1 - options.floor) * left / length)


class Start:
    """Where a step began, to go back to."""

    def __init__(self, step):
        self.step = step
        self.masters = [m.clone() for m in step.update.masters]
        self.parameters = [p.detach().clone() for p in step.update.parameters]

    @torch.no_grad()
    def restore(self):
        """Weights as they were, moments and their count zero."""
        update = self.step.update
        for there, here in zip(update.masters + update.parameters, self.masters + self.parameters):
            there.copy_(here)
        for moment in [*update.means, *update.squares, update.count]:
            moment.zero_()


def reorder(ids, order, number):
    """The sequences of a batch in another order."""
    if order == "forwards":
        return ids
    if order == "backwards":
        return ids[::-1].copy()
    return ids[numpy.random.default_rng([int(order), number]).permutation(len(ids))]


def curve(step, samples, order, options):
    """The losses and norms of a run, and the seconds of a step."""
    results, started = [], None
    for number in range(options.steps):
        ids = samples.batch(number * options.sequences, options.sequences)
        ids = torch.from_numpy(reorder(ids, order, number))
        if options.device == "cuda":
            ids = ids.pin_memory().cuda(non_blocking=True)
        step.tokens, step.targets = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()
        step.update.rate.fill_(rate(number, options))
        results.append(torch.stack(step.run()))
        if number == 0:
            results[0].cpu()
            started = time.perf_counter()
    rows = torch.stack(results).cpu().tolist()
    return rows, (time.perf_counter() - started) / max(1, options.steps - 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True, help="a CSV: step, loss, norm; of several orders OUT-ORDER.csv")
    parser.add_argument("--variant", default="compiled")
    parser.add_argument("--orders", default="forwards", help="forwards, backwards or seeds")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--sequence", type=int, default=1024)
    parser.add_argument("--sequences", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--warmup", type=int, default=20)
    parser.add_argument("--rate", type=float, default=6e-4)
    parser.add_argument("--decay", type=float, default=0.25)
    parser.add_argument("--floor", type=float, default=0.02)
    options = parser.parse_args()
    sizes = sizes_of(options.weights, options.sequence, options.sequences)
    step = Step(sizes, Recipe(options.variant), options.device,
                weights_of(options.weights, sizes.layers))
    samples = Samples(options.data, options.sequence, options.seed)
    start, orders = Start(step), options.orders.split(",")
    for order in orders:
        path = (options.out if len(orders) == 1
                else f"{os.path.splitext(options.out)[0]}-{order}.csv")
        rows, seconds = curve(step, samples, order, options)
        start.restore()
        with open(path, "w") as file:
            file.write("step,loss,norm\n")
            for number, (loss, norm) in enumerate(rows):
                file.write(f"{number + 1},{loss:.6f},{norm:.6f}\n")
        print(f"{path}: last loss {rows[-1][0]:.4f}, {seconds * 1e3:.1f} ms a step", flush=True)


if __name__ == "__main__":
    main()
