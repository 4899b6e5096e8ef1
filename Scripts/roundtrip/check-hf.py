"""Compares a folder that `krait export --format hf` wrote, loaded in Transformers, with krait.

    check-hf.py KRAIT FOLDER

Checks that Transformers reports no missing, unexpected or mismatched tensor; that logits agree with
those krait computes from the same folder to 1e-4; that greedy continuations are the same ids; that
texts become the same token ids. Pinned versions: see check-hf.sh.
"""

import json
import os
import subprocess
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from krait_command import krait_ids, krait_logits

TOLERANCE = 1e-4
TEXTS = [
    "One morning the river rose.",
    "  two  spaces,\ttab\nnew line\r\n",
    "na\u00efve r\u00e9sum\u00e9 \u2013 \u4f60\u597d \U0001f600\u200d\U0001f525 e\u0301",
    "int main(void) { return 12345; } // it's",
]


def main():
    krait, folder = sys.argv[1:3]
    config = AutoConfig.from_pretrained(folder)
    model, report = AutoModelForCausalLM.from_pretrained(
        folder, torch_dtype=torch.float32, output_loading_info=True
    )
    model.eval()
    for key in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        assert not report.get(key), f"{key}: {report[key]}"
    assert type(model).__name__ == "ArceeForCausalLM", type(model)
    with open(os.path.join(folder, "config.json")) as file:
        written = json.load(file)
    theta = (
        config.rope_parameters["rope_theta"]
        if getattr(config, "rope_parameters", None)
        else config.rope_theta
    )
    assert theta == written["rope_theta"], (theta, written["rope_theta"])

    # Logits: random ids over the vocabulary, up to the training length; one short sequence.
    generator = torch.Generator().manual_seed(1)
    worst = 0.0
    for length in (1, 7, min(128, config.max_position_embeddings)):
        ids = torch.randint(0, config.vocab_size, (length,), generator=generator)
        with torch.no_grad():
            theirs = model(input_ids=ids[None]).logits[0].float()
        ours = torch.tensor(krait_logits(krait, folder, ids.tolist()), dtype=torch.float32)
        assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
        worst = max(worst, (ours - theirs).abs().max().item())
        assert (ours - theirs).abs().max() <= TOLERANCE * max(1.0, theirs.abs().max()), worst

    # Token ids.
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for text in TEXTS:
        ids = tokenizer(text)["input_ids"]
        assert ids == krait_ids(krait, folder, text), (text, ids)
        assert tokenizer.decode(ids) == text, (text, tokenizer.decode(ids))

    # Greedy text, after the end-of-text id as krait starts it. Compared as bytes krait prints.
    prompt = "One "
    ids = tokenizer(prompt)["input_ids"]
    if config.bos_token_id is not None:
        ids = [config.bos_token_id] + ids
    count = 40
    with torch.no_grad():
        made = model.generate(
            input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)),
            max_new_tokens=count, do_sample=False,
            pad_token_id=config.eos_token_id if config.eos_token_id is not None else 0,
        )[0][len(ids):].tolist()
    if made and made[-1] == config.eos_token_id:
        made = made[:-1]
    theirs = prompt + tokenizer.decode(made)
    printed = subprocess.run(
        [krait, "generate", folder, prompt, "--temperature", "0", "--tokens", str(count)],
        check=True, capture_output=True,
    ).stdout.decode(errors="replace")
    assert printed.rstrip("\n") == theirs.rstrip("\n"), (printed, theirs)

    print(
        f"transformers {transformers.__version__}: {folder} loads; logits differ by "
        f"{worst:.2e} at most; ids and {len(made)} greedy tokens are equal"
    )


main()
