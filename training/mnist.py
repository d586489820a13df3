"""Reads MNIST's idx files (http://yann.lecun.com/exdb/mnist): a big-endian header, then one byte a pixel or a label."""

import gzip
from pathlib import Path

import numpy as np

IMAGE_HEADER_BYTES = 16
LABEL_HEADER_BYTES = 8


def read_mnist(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """`split` is "train" or "t10k" → images uint8 [n, 28, 28] with 0 as background, labels uint8 [n]."""
    images = gzip.decompress((folder / f"{split}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{split}-labels-idx1-ubyte.gz").read_bytes())
    return (
        np.frombuffer(images, np.uint8, offset=IMAGE_HEADER_BYTES).reshape(-1, 28, 28).copy(),
        np.frombuffer(labels, np.uint8, offset=LABEL_HEADER_BYTES).copy(),
    )
