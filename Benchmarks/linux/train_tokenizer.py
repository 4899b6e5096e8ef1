"""Trains a byte-level BPE in Llama 3's style on files, as a tokenizer.json for `krait prepare`.

Needs: pip install tokenizers==0.23.3
Run:   python Benchmarks/linux/train_tokenizer.py LIST VOCABULARY OUTPUT/tokenizer.json

LIST names the files, one a line: prepare-linux.sh leaves one as files.txt in its SOURCES folder.
"""

import sys

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def texts(path):
    with open(path, encoding="utf-8") as names:
        for name in names:
            with open(name.rstrip("\n"), "rb") as file:
                yield file.read().decode("utf-8", "replace")


def main():
    files, vocabulary, output = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(files), trainer)
    tokenizer.save(output)
    print(f"{tokenizer.get_vocab_size()} tokens in {output}")


if __name__ == "__main__":
    main()
