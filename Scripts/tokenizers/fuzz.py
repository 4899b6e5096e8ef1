"""Compares `krait inspect --encode` with Hugging Face `tokenizers` on random and on real texts.

Needs: pip install tokenizers==0.23.3
Run:   python Scripts/tokenizers/fuzz.py --krait .build/release/krait --texts 20000 [FILE-OR-FOLDER …]
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

from tokenizers import Tokenizer

import kinds
import texts

# Ends each text in the file that Krait reads; no text holds it.
SEPARATOR = 0


def krait_ids(krait, tokenizer, batch):
    """Ids by Krait; it also checks that they decode to the text."""
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        file.write(bytes([SEPARATOR]).join(text.encode() for text in batch))
        file.flush()
        output = subprocess.run(
            [krait, "inspect", tokenizer, "--encode", file.name, "--separator", str(SEPARATOR)],
            check=True,
            stdout=subprocess.PIPE,
        ).stdout.decode()
    return [[int(number) for number in line.split()] for line in output.split("\n")[:-1]]


def compare(krait, path, batch):
    reference = Tokenizer.from_file(path)
    ours = krait_ids(krait, path, batch)
    assert len(ours) == len(batch), (len(ours), len(batch))
    theirs = reference.encode_batch(batch, add_special_tokens=False)
    failures = 0
    for text, mine, other in zip(batch, ours, theirs):
        if mine != other.ids:
            failures += 1
            if failures <= 5:
                print(f"differs on {text!r}\n  krait {mine[:40]}\n  hf    {other.ids[:40]}")
    return failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--krait", default=".build/release/krait")
    parser.add_argument("--texts", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--vocabulary", type=int, default=4000)
    parser.add_argument("--tokenizer", action="append", default=[], help="compare with this file too")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    print("seed", options.seed)
    batch = texts.texts(options.seed, options.texts)
    for name in options.files:
        root = pathlib.Path(name)
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file():
                batch.append(path.read_bytes().decode("utf-8", "replace"))
    batch = [text.replace(chr(SEPARATOR), "") for text in batch]
    size = sum(len(text.encode()) for text in batch)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        paths = list(options.tokenizer)
        for kind in ["gpt2", "llama3"]:
            path = f"{folder}/{kind}-tokenizer.json"
            corpus = texts.SENTENCES * 5 + texts.texts(options.seed + 1, 3000)
            kinds.train(kind, corpus, options.vocabulary).save(path)
            paths.append(path)
        for path in paths:
            wrong = compare(options.krait, path, batch)
            print(f"{pathlib.Path(path).name}: {len(batch)} texts, {size / 1e6:.1f} MB, {wrong} differ")
            failures += wrong
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
