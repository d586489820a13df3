"""Tokens of texts are those of Python's library, and so is where they stand."""

import json
import random
import subprocess

import pytest
from server import PROJECT
from tokenizers import Tokenizer

TOKENIZERS = PROJECT / "test" / "fixtures" / "tokenizers"
TEXTS = 100_000
#: First and last code points that texts are made of, also of those that no tokenizer knows.
RANGES = [
    (0x20, 0x7E),
    (0x61, 0x7A),
    (0x20, 0x20),
    (0xA0, 0x24F),
    (0x300, 0x36F),
    (0x600, 0x6FF),
    (0x1100, 0x11FF),
    (0x2000, 0x206F),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0xE000, 0xFFFD),
    (0x1F300, 0x1FAFF),
    (0x10000, 0x10FFFF),
    (0x0, 0x1F),
]
PIECES = ["[SEP]", "[CLS]", "[MASK]", "<s>", "</s>", "<mask>", "##", "▁", "Ġ", "the ", " London", "Ada", "\r\n", "İ", "ﬁ"]


def texts():
    chance = random.Random(14)
    for _ in range(TEXTS):
        ranges = chance.choices(RANGES, k=chance.randint(1, 4))
        length = chance.randint(0, 30)
        yield "".join(
            chance.choice(PIECES) if chance.random() < 0.1 else chr(chance.randint(*chance.choice(ranges)))
            for _ in range(length)
        )


@pytest.mark.parametrize("name", ["wordpiece", "byte-level-bpe", "unigram"])
def test_random_texts(name, tmp_path):
    given = list(texts())
    (tmp_path / "texts.json").write_text(json.dumps(given), encoding="utf-8")
    path = TOKENIZERS / name / "tokenizer.json"
    node = PROJECT / "node_modules" / ".bin" / "node"
    program = PROJECT / "test" / "interop" / "tokens" / "encode.ts"
    subprocess.run([node, program, path, tmp_path / "texts.json", tmp_path / "tokens.jsonl"], check=True)
    with open(tmp_path / "tokens.jsonl", encoding="utf-8") as lines:
        made = [json.loads(line) for line in lines]
    expected = Tokenizer.from_file(str(path)).encode_batch(given)
    assert len(made) == len(expected)
    for text, own, python in zip(given, made, expected):
        assert own["ids"] == python.ids, repr(text)
        special = python.special_tokens_mask
        offsets = [at for at, is_special in zip(python.offsets, special) if not is_special]
        assert own["offsets"] == [number for offset in offsets for number in offset], repr(text)
