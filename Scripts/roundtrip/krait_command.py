"""What krait itself says of a model: for the scripts that compare it with other programs."""

import json
import os
import subprocess
import tempfile


def krait_logits(krait, source, tokens):
    """The logits after each of some tokens, a list of rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "logits.json")
        ids = ",".join(map(str, tokens))
        subprocess.run(
            [krait, "evaluate", source, "--logits", path, "--tokens", ids],
            check=True, stdout=subprocess.DEVNULL,
        )
        with open(path) as file:
            return json.load(file)


def krait_ids(krait, folder, text):
    """The ids that krait gives a text: bytes, or by the folder's tokenizer.json."""
    with open(os.path.join(folder, "config.json")) as file:
        if json.load(file)["krait"].get("tokenizer") == "bytes":
            return list(text.encode())
    with tempfile.NamedTemporaryFile() as file:
        file.write(text.encode())
        file.flush()
        printed = subprocess.run(
            [krait, "inspect", os.path.join(folder, "tokenizer.json"), "--encode", file.name],
            check=True, capture_output=True,
        ).stdout
        return [int(word) for word in printed.split()]
