"""The shapes of krait's presets, and options that override them, named as in `krait bench step`."""

import types

PRESETS = {
    "124m": dict(width=768, hidden=3072, layers=12, heads=12, key_value_heads=12,
                 vocabulary=50304, theta=1e4, sequence=1024),
    "350m": dict(width=1024, hidden=4096, layers=24, heads=16, key_value_heads=16,
                 vocabulary=50304, theta=1e4, sequence=1024),
    "1b": dict(width=2048, hidden=8192, layers=16, heads=32, key_value_heads=8,
               vocabulary=128256, theta=5e5, sequence=4096),
    "7b": dict(width=4096, hidden=16384, layers=32, heads=32, key_value_heads=8,
               vocabulary=128256, theta=5e5, sequence=4096),
}


def add_shape(parser):
    parser.add_argument("--preset", choices=PRESETS, default="124m")
    for name in ("layers", "vocabulary", "sequence"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--sequences", type=int, default=16)


def shape(options):
    """What `torch_model.Model` wants to know."""
    sizes = types.SimpleNamespace(**PRESETS[options.preset], tied=False, loss_rows=0)
    for name in ("layers", "vocabulary", "sequence"):
        if getattr(options, name) is not None:
            setattr(sizes, name, getattr(options, name))
    sizes.sequences = options.sequences
    sizes.head_width = sizes.width // sizes.heads
    return sizes


def step_flops(sizes):
    """What the mathematics of a step needs: as `krait bench step` counts, attention's causal half."""
    heads, pairs = sizes.heads * sizes.head_width, sizes.key_value_heads * sizes.head_width
    block = sizes.width * (2 * heads + 2 * pairs) + 2 * sizes.width * sizes.hidden
    weights = sizes.layers * block + sizes.vocabulary * sizes.width
    scores = sizes.layers * 2 * sizes.sequence * heads
    return 3 * sizes.sequences * sizes.sequence * (2 * weights + scores)
