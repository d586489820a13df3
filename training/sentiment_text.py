"""Text to the code points that the sentiment graph takes. The server does exactly the same in TypeScript."""

import re
import unicodedata

import numpy as np

# Spelled out, because `\\s` means different characters in Python and in JavaScript: these are JavaScript's `\\s` and all
# control characters, U+0000 among them, which the graph uses for padding.
WHITE_SPACE = re.compile("[\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+")


def normalize(text: str) -> str:
    """NFKC, then lower case, then each run of white space and control characters to one space, none at the ends."""
    return WHITE_SPACE.sub(" ", unicodedata.normalize("NFKC", text).lower()).strip(" ")


def to_codes(text: str) -> list[int]:
    """The Unicode code points of the normalised text."""
    return [ord(character) for character in normalize(text)]


def pad(codes: list[list[int]], length: int = 1) -> np.ndarray:
    """One row a text, zero-padded on the right to the longest, and at least to `length`."""
    width = max(length, *map(len, codes))
    rows = np.zeros((len(codes), width), np.int32)
    for row, text in zip(rows, codes):
        row[: len(text)] = text
    return rows
