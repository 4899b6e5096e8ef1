"""Golden numbers for Tests/TransformerTests: what Hugging Face's ArceeForCausalLM computes.

For each tiny model below: logits, the loss of every token, and the whole gradient of every tensor,
in float32 on the CPU with eager attention. Weights are not stored; both sides compute them from
the tensor's name (see `weights`), so a fixture is a few thousand numbers of text.

    pip install torch==2.13.0 transformers==5.24.0 numpy
    python Scripts/goldens/arcee.py            # rewrites Tests/TransformerTests/Fixtures/arcee-*.json

Other versions work too, and are written into the fixtures; the numbers agree to rounding.
"""

import json
import pathlib
import platform

import numpy
import torch
import transformers
from transformers import ArceeConfig, ArceeForCausalLM

MASK = (1 << 64) - 1
GOLDEN_RATIO = 0x9E3779B97F4A7C15
SEED = 20251125

# name: width, hiddenWidth, layers, heads, keyValueHeads, headWidth, vocabulary, ropeTheta,
# normEpsilon, tiedEmbeddings; then sequences, tokens of each, and every how many-th target is
# ignored (0: none).
CASES = {
    "untied": ((16, 40, 2, 2, 2, 8, 29, 10000.0, 1e-5, False), (2, 9, 0)),
    "tied-grouped": ((16, 36, 2, 4, 2, 4, 31, 10000.0, 1e-6, True), (3, 7, 0)),
    "wide-heads": ((12, 31, 2, 3, 1, 10, 23, 10000.0, 1e-5, False), (2, 11, 4)),
    "large-theta": ((16, 33, 2, 4, 2, 8, 27, 500000.0, 1e-5, False), (1, 40, 0)),
    "narrow-heads-tied": ((18, 27, 1, 6, 3, 2, 37, 1000000.0, 1e-2, True), (4, 5, 3)),
}


def mix(values):
    """SplitMix64's finalizer, on unsigned 64-bit arrays."""
    z = values
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return z ^ (z >> numpy.uint64(31))


def name_hash(name):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def uniform(name, count):
    """Krait's CounterRandom(seed: SEED, stream: name_hash(name)).uniform(0..<count), in (0, 1)."""
    with numpy.errstate(over="ignore"):
        stream = mix(numpy.uint64(name_hash(name)).reshape(1))
        key = mix(numpy.uint64((SEED * GOLDEN_RATIO) & MASK) ^ stream)
        index = numpy.arange(1, count + 1, dtype=numpy.uint64)
        bits = mix(key + index * numpy.uint64(GOLDEN_RATIO))
    return ((bits >> numpy.uint64(11)).astype(numpy.float64) + 0.5) * 2.0**-53


def weights(name, shape):
    """Norm weights lie in 1 ± 0.5, all others in ± 0.6; row-major in the standard layout."""
    centred = uniform(name, int(numpy.prod(shape))) - 0.5
    values = 1 + centred if len(shape) == 1 else 1.2 * centred
    return torch.from_numpy(values.astype(numpy.float32).reshape(shape))


def numbers(tensor):
    """Shortest decimals that read back as the same float32."""
    return [float(str(value)) for value in tensor.detach().numpy().astype(numpy.float32).ravel()]


def golden(name, sizes, batch):
    (width, hidden, layers, heads, key_heads, head_width, vocabulary, theta, epsilon, tied) = sizes
    sequences, length, ignore_every = batch
    config = ArceeConfig(
        vocab_size=vocabulary, hidden_size=width, intermediate_size=hidden,
        num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=key_heads,
        head_dim=head_width, max_position_embeddings=length, rms_norm_eps=epsilon,
        tie_word_embeddings=tied, rope_parameters={"rope_type": "default", "rope_theta": theta},
        bos_token_id=None, eos_token_id=None, attn_implementation="eager", dtype=torch.float32)
    model = ArceeForCausalLM(config).eval()
    assert model.config.rope_parameters["rope_theta"] == theta
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            parameter.copy_(weights(parameter_name, tuple(parameter.shape)))
    count = sequences * length
    ids = (uniform(name + " tokens", count + 1) * vocabulary).astype(numpy.int64)
    tokens = torch.from_numpy(ids[:-1]).reshape(sequences, length)
    targets = torch.from_numpy(ids[1:].copy())
    if ignore_every:
        targets[::ignore_every] = -100
    logits = model(input_ids=tokens).logits.reshape(count, vocabulary)
    losses = torch.nn.functional.cross_entropy(
        logits, targets, ignore_index=-100, reduction="none")
    (losses.sum() / count).backward()
    return {
        "generator": "Scripts/goldens/arcee.py",
        "versions": {
            "python": platform.python_version(), "torch": torch.__version__,
            "transformers": transformers.__version__, "numpy": numpy.__version__,
        },
        "seed": SEED,
        "model": {
            "width": width, "hiddenWidth": hidden, "layers": layers, "heads": heads,
            "keyValueHeads": key_heads, "headWidth": head_width, "vocabulary": vocabulary,
            "ropeTheta": theta, "normEpsilon": epsilon, "tiedEmbeddings": tied,
        },
        "sequences": sequences,
        "tokens": ids[:-1].tolist(),
        "targets": targets.tolist(),
        "losses": numbers(losses),
        "logits": numbers(logits),
        "gradients": {key: numbers(value.grad) for key, value in model.named_parameters()},
    }


def write(path, fixture):
    """One line for each entry, one for each tensor: a changed tensor is a changed line."""
    def line(key, value):
        return f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}"

    lines = [line(key, value) for key, value in fixture.items() if key != "gradients"]
    inner = ",\n".join("  " + line(key, value) for key, value in fixture["gradients"].items())
    lines.append('"gradients": {\n' + inner + "\n}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(1)
    folder = pathlib.Path(__file__).parents[2] / "Tests/TransformerTests/Fixtures"
    folder.mkdir(parents=True, exist_ok=True)
    for case, (sizes, batch) in CASES.items():
        path = folder / f"arcee-{case}.json"
        fixture = golden(case, sizes, batch)
        write(path, fixture)
        print(f"{path.name}: {path.stat().st_size} bytes, mean loss "
              f"{numpy.mean(fixture['losses']):.4f}")
