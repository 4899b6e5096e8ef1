"""Writes the fixtures of Tests/CorpusTests: two small tokenizers, texts with their ids, and the
classes of all characters as the regular expressions of Hugging Face `tokenizers` see them.

Needs: pip install tokenizers==0.23.3
Run:   python Scripts/tokenizers/make_fixtures.py
"""

import json
import pathlib

import tokenizers
from tokenizers import Regex, Tokenizer, pre_tokenizers

import kinds
import texts

FOLDER = pathlib.Path(__file__).parents[2] / "Tests/CorpusTests/Fixtures"


def classes():
    """Ranges of characters of one class: first, last, class (1 letter, 2 number, 4 space)."""
    values = [value for value in range(0x110000) if not 0xD800 <= value < 0xE000]
    found = {}
    for expression, bit in ((r"\p{L}", 1), (r"\p{N}", 2), (r"\s", 4)):
        split = pre_tokenizers.Split(Regex(expression), "removed")
        for value in values:
            if split.pre_tokenize_str(chr(value)) == []:
                found[value] = bit
    ranges = []
    for value in sorted(found):
        if ranges and ranges[-1][1] == value - 1 and ranges[-1][2] == found[value]:
            ranges[-1][1] = value
        else:
            ranges.append([value, value, found[value]])
    return ranges


def main():
    FOLDER.mkdir(exist_ok=True)
    corpus = texts.SENTENCES * 5 + texts.texts(11, 2000)
    batch = [""] + texts.SENTENCES + texts.CONTRACTIONS + texts.SPACES + texts.SPECIALS
    batch += texts.texts(12, 400)
    batch += [text + word for text in texts.SPACES for word in ["x", "7", "-", "\n"]]
    cases = [{"text": text} for text in batch]
    for kind in ["gpt2", "llama3"]:
        path = FOLDER / f"{kind}-tokenizer.json"
        trained = kinds.train(kind, corpus, 900)
        contents = kinds.as_old_json(trained) if kind == "gpt2" else trained.to_str()
        path.write_text(contents + "\n")
        tokenizer = Tokenizer.from_file(str(path))
        for case in cases:
            ids = tokenizer.encode(case["text"], add_special_tokens=False).ids
            case[kind] = ids
            case[kind + "Decoded"] = tokenizer.decode(ids, skip_special_tokens=False)
    for case in cases:
        # Most texts come back as they were; only the others are written down.
        for kind in ["gpt2", "llama3"]:
            if case[kind + "Decoded"] == case["text"]:
                del case[kind + "Decoded"]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (FOLDER / "tokenizer-cases.json").write_text(f"[\n{lines}\n]\n")
    lines = "".join(f"{first:x} {last:x} {bits}\n" for first, last, bits in classes())
    (FOLDER / "character-classes.txt").write_text(lines)
    print(f"tokenizers {tokenizers.__version__}: {len(cases)} texts in {FOLDER}")


if __name__ == "__main__":
    main()
