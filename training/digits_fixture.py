"""Writes the fixture which proves that TypeScript and Python bring a picture into the same 28x28 bytes.

    python training/digits_fixture.py --data ../shared/data/mnist --fixture test/fixtures/digit-pictures.json

Every case is a PNG of a t10k digit drawn in another way, the 784 bytes expected of it, and its label.
"""

import argparse
import base64
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from digit_picture import normalise_digit, to_grey
from mnist import read_mnist

SEED = 20_251
EXIF_ORIENTATION = 0x0112

Draw = Callable[[np.ndarray, np.random.Generator], Image.Image]


def enlarged(digit: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(digit).resize((width, height), Image.Resampling.BICUBIC))


def placed(ink: np.ndarray, width: int, height: int, left: int, top: int) -> np.ndarray:
    paper = np.zeros((height, width), np.uint8)
    paper[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return paper


def coloured(ink: np.ndarray, paper: tuple[int, int, int], pen: tuple[int, int, int]) -> Image.Image:
    share = ink[:, :, None] / 255
    return Image.fromarray(np.round(np.array(paper) * (1 - share) + np.array(pen) * share).astype(np.uint8))


def transparent(ink: np.ndarray, pen: tuple[int, int, int]) -> Image.Image:
    drawn = np.empty((*ink.shape, 4), np.uint8)
    drawn[:, :, :3] = pen
    drawn[:, :, 3] = ink
    return Image.fromarray(drawn)


def with_hole(ink: np.ndarray) -> Image.Image:
    drawn = np.dstack([255 - ink] * 3 + [np.full_like(ink, 255)])
    drawn[:12, :12, 3] = 0
    return Image.fromarray(drawn)


def photographed(ink: np.ndarray, random: np.random.Generator, noise: float) -> Image.Image:
    y, x = np.indices(ink.shape)
    light = 120 + 90 * x / ink.shape[1] + 30 * y / ink.shape[0]
    grey = light * (1 - 0.6 * ink / 255) + random.normal(0, noise, ink.shape)
    return Image.fromarray(np.clip(np.round(grey), 0, 255).astype(np.uint8))


def framed(ink: np.ndarray) -> Image.Image:
    grey = 255 - ink
    grey[[0, -1], :] = 0
    grey[:, [0, -1]] = 0
    return Image.fromarray(grey)


CASES: dict[str, Draw] = {
    "as MNIST has it": lambda digit, _: Image.fromarray(digit),
    "dark on light": lambda digit, _: Image.fromarray(255 - digit),
    "bilevel": lambda digit, _: Image.fromarray(255 - enlarged(digit, 90, 90)).convert("1"),
    "twice as large": lambda digit, _: Image.fromarray(enlarged(digit, 56, 56)),
    "ten times as large": lambda digit, _: Image.fromarray(255 - enlarged(digit, 250, 250)),
    "half as large": lambda digit, _: Image.fromarray(enlarged(digit, 14, 14)),
    "top left of a large sheet": lambda digit, _: Image.fromarray(
        255 - placed(enlarged(digit, 60, 60), 200, 160, 5, 3)
    ),
    "bottom right, light on dark": lambda digit, _: Image.fromarray(
        placed(enlarged(digit, 70, 70), 150, 220, 78, 148)
    ),
    "stretched across": lambda digit, _: Image.fromarray(255 - enlarged(digit, 120, 64)),
    "stretched down": lambda digit, _: Image.fromarray(255 - enlarged(digit, 50, 91)),
    "blue on yellow": lambda digit, _: coloured(enlarged(digit, 64, 64), (250, 235, 120), (30, 60, 170)),
    "yellow on white": lambda digit, _: coloured(enlarged(digit, 64, 64), (255, 255, 255), (255, 250, 0)),
    "red on green of the same brightness": lambda digit, _: coloured(
        enlarged(digit, 64, 64), (20, 130, 20), (215, 30, 20)
    ),
    "dark strokes on nothing": lambda digit, _: transparent(enlarged(digit, 48, 48), (20, 20, 30)),
    "light strokes on nothing": lambda digit, _: transparent(enlarged(digit, 48, 48), (240, 240, 255)),
    "white sheet with a transparent corner": lambda digit, _: with_hole(enlarged(digit, 70, 70)),
    "turned by EXIF": lambda digit, _: Image.fromarray(255 - enlarged(digit, 80, 60)).transpose(
        Image.Transpose.ROTATE_90
    ),
    "light from one side": lambda digit, random: photographed(enlarged(digit, 84, 84), random, 0),
    "noisy photograph": lambda digit, random: photographed(enlarged(digit, 72, 72), random, 6),
    "frame drawn around it": lambda digit, _: framed(enlarged(digit, 75, 75)),
    "blank sheet": lambda digit, _: Image.new("RGB", (40, 30), (230, 228, 220)),
    "one pixel": lambda digit, _: Image.new("L", (1, 1), 7),
}
# Turned a quarter to the left above; 6 tells the reader to turn it back.
ORIENTATIONS = {"turned by EXIF": 6}


def encode(picture: Image.Image, orientation: int | None) -> bytes:
    exif = Image.Exif()
    if orientation is not None:
        exif[EXIF_ORIENTATION] = orientation
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True, exif=exif if orientation else None)
    return file.getvalue()


def expected(png: bytes) -> np.ndarray:
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(png)))
    return normalise_digit(to_grey(np.asarray(picture.convert("RGBA" if picture.has_transparency_data else "RGB"))))


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the fixture of digit pictures.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the MNIST idx files (.gz)")
    parser.add_argument("--fixture", type=Path, default=Path("test/fixtures/digit-pictures.json"))
    arguments = parser.parse_args()

    images, labels = read_mnist(arguments.data, "t10k")
    random = np.random.default_rng(SEED)
    cases = []
    for row, (name, draw) in enumerate(CASES.items()):
        png = encode(draw(images[row], random), ORIENTATIONS.get(name))
        digit = expected(png)
        cases.append(
            {
                "name": name,
                "label": int(labels[row]) if digit.any() else None,
                "png": base64.b64encode(png).decode(),
                "digit": base64.b64encode(digit.tobytes()).decode(),
            }
        )
    arguments.fixture.write_text(json.dumps(cases, indent=1) + "\n", encoding="utf-8")
    print(f"{len(cases)} pictures in {arguments.fixture}")


if __name__ == "__main__":
    main()
