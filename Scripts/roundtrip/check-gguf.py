"""Compares a file that `krait export --format gguf` wrote, run in llama.cpp, with krait.

    check-gguf.py KRAIT FOLDER FILE

FOLDER is a Hugging Face export of the same model and type. Checks that the `gguf` package reads the
file; that logits agree with krait's; that greedy continuations are the same ids; that texts become
the same ids. Pinned versions: see check-gguf.sh.
"""

import json
import os
import sys

import gguf
import llama_cpp
import numpy as np

from krait_command import krait_ids, krait_logits

# llama.cpp rounds activations to the type of the weights before 16-bit products.
TOLERANCE = {"f32": 1e-4, "f16": 5e-3, "bf16": 3e-2}
TEXTS = ["One morning the river rose.", "na\u00efve r\u00e9sum\u00e9 \u4f60\u597d \U0001f600", "a\n\n b\t1234"]


def main():
    krait, folder, path = sys.argv[1:4]
    kind = os.path.basename(path).removesuffix(".gguf")
    reader = gguf.GGUFReader(path)
    assert reader.fields["general.architecture"].contents() == "arcee"
    assert all(tensor.data_offset % 32 == 0 for tensor in reader.tensors)
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    llama = llama_cpp.Llama(
        path, n_ctx=config["max_position_embeddings"], logits_all=True, verbose=False,
        n_threads=2, type_k=0, type_v=0,
    )
    assert llama.n_vocab() == config["vocab_size"]

    random = np.random.default_rng(1)
    worst = 0.0
    scale = 0.0
    for length in (1, 7, min(96, config["max_position_embeddings"])):
        ids = random.integers(0, config["vocab_size"], length).tolist()
        llama.reset()
        llama.eval(ids)
        theirs = np.array(llama.scores[:length])
        ours = np.array(krait_logits(krait, folder, ids), dtype=np.float32)
        worst = max(worst, float(np.abs(ours - theirs).max()))
        scale = max(scale, float(np.abs(theirs).max()))
    assert worst <= TOLERANCE[kind] * max(1.0, scale), (worst, scale)

    for text in TEXTS:
        ids = llama.tokenize(text.encode(), add_bos=False)
        assert ids == krait_ids(krait, folder, text), (text, ids)
        assert llama.detokenize(ids) == text.encode(), (text, llama.detokenize(ids))

    # Greedy tokens, each checked where krait's own choice is no near-tie.
    ids = llama.tokenize(b"One ", add_bos=False)
    if config["bos_token_id"] is not None:
        ids = [config["bos_token_id"]] + ids
    start = len(ids)
    for _ in range(24):
        llama.reset()
        llama.eval(ids)
        ids.append(int(np.argmax(llama.scores[len(ids) - 1])))
    ours = np.array(krait_logits(krait, folder, ids[:-1]), dtype=np.float32)[start - 1:]
    compared = 0
    for row, token in zip(ours, ids[start:]):
        top = np.sort(row)[-2:]
        if top[1] - top[0] > 2 * worst:
            assert int(np.argmax(row)) == token
            compared += 1
    print(
        f"llama-cpp-python {llama_cpp.__version__}: {path} loads; logits differ by {worst:.2e} at "
        f"most (largest {scale:.1f}); {compared} of 24 greedy tokens compared, all equal"
    )


main()
