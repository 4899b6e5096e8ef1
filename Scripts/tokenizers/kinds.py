"""The tokenizers that the fixtures and the fuzzer use, trained with Hugging Face `tokenizers`.

Needs: pip install tokenizers==0.23.3
"""

import json

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def train(kind, corpus, vocabulary):
    """A tokenizer in the style of `gpt2` or `llama3`."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=kind == "llama3"))
    if kind == "gpt2":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<|endoftext|>", "<|pad|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    # Words added later, with every way of matching; GPT-2's takes white space along, so that
    # decoding does not give it back.
    strips = kind == "gpt2"
    tokenizer.add_special_tokens([AddedToken("<|mask|>", lstrip=strips, rstrip=strips)])
    tokenizer.add_tokens([AddedToken("[WORD]", single_word=True), AddedToken("café")])
    if kind == "llama3":
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]
        )
    return tokenizer


def as_old_json(tokenizer):
    """The file with merges as "a b", as older versions wrote it."""
    contents = json.loads(tokenizer.to_str())
    contents["model"]["merges"] = [" ".join(pair) for pair in contents["model"]["merges"]]
    return json.dumps(contents, ensure_ascii=False)
