"""Write the data that a model was trained on as JSON Lines, one instance a line as its predict route takes it.

    python training/instances.py titanic --data <folder> | npx inferd distribution --model titanic --instances -
"""

import argparse
import base64
import csv
import gzip
import json
import random
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

SAMPLE = 10_000


def titanic(data: Path) -> Iterator[dict]:
    with open(data / "titanic" / "titanic.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield {
                "pclass": int(row["Pclass"]),
                "sex": row["Sex"],
                "age": float(row["Age"]) if row["Age"] else None,
                "sibsp": int(row["SibSp"]),
                "parch": int(row["Parch"]),
                "fare": float(row["Fare"]) if row["Fare"] else None,
                "embarked": row["Embarked"] or None,
            }


def iris(_data: Path) -> Iterator[dict]:
    from sklearn.datasets import load_iris

    names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    for row in load_iris().data.tolist():
        yield dict(zip(names, row))


def digits(data: Path) -> Iterator[dict]:
    """A sample of the training pictures, white on black as MNIST has them, as PNG files."""
    images = gzip.decompress((data / "mnist" / "train-images-idx3-ubyte.gz").read_bytes())[16:]
    for index in sorted(random.Random(0).sample(range(len(images) // 784), SAMPLE)):
        yield {"image": base64.b64encode(png(images[index * 784 : (index + 1) * 784])).decode()}


def sentiment(data: Path) -> Iterator[dict]:
    """A sample of the Korean and the English reviews."""
    with gzip.open(data / "nsmc" / "ratings_train.txt.gz", "rt", encoding="utf-8", newline="\n") as file:
        texts = [line.rstrip("\n").split("\t")[1] for line in file][1:]
    for name in ("pos", "neg"):
        with gzip.open(data / "sentiment_en" / f"rt-polarity.{name}.gz", "rt", encoding="utf-8", newline="\n") as file:
            texts.extend(line.rstrip("\n") for line in file)
    texts = [text for text in texts if text.strip()]
    for text in random.Random(0).sample(texts, SAMPLE):
        yield {"text": text}


def png(pixels: bytes) -> bytes:
    """28x28 grey pixels as a PNG file."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + pixels[row * 28 : (row + 1) * 28] for row in range(28))
    header = struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def main() -> None:
    models = {"iris": iris, "titanic": titanic, "digits": digits, "sentiment": sentiment}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=models)
    parser.add_argument("--data", type=Path, default=Path(), help="folder with the data sets")
    args = parser.parse_args()
    for instance in models[args.model](args.data):
        sys.stdout.write(json.dumps(instance, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
