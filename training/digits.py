"""Trains the digit classifier on MNIST and writes it as an ONNX model.

    python training/digits.py --data ../shared/data/mnist --models models

Writes `<models>/digits/1/model.onnx` and `<models>/digits/model.json`, and prints the accuracy on the t10k files, which
training never reads: as they are, and normalised as the server normalises any picture. Run `npm run lint:fix`
afterwards: it lays out the manifest.

The pictures that people send are not as tidy as MNIST: pens are thinner or thicker, sheets are tilted, cameras blur. So
every epoch sees every digit turned, scaled, sheared, moved, thickened or thinned, blurred and made noisy at random.
"""

import argparse
import json
import math
import time
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from digit_picture import normalise_digit
from mnist import read_mnist

SEED = 20_251
EPOCHS = 14
BATCH = 128
PEAK_LEARNING_RATE = 4e-3
OPSET = 17


def convolution(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class DigitNetwork(nn.Module):
    """Ink in [0, 1], shape [n, 1, 28, 28] → logits [n, 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            convolution(1, 16),
            nn.MaxPool2d(2),
            convolution(16, 32),
            convolution(32, 32),
            nn.MaxPool2d(2),
            convolution(32, 64),
            convolution(64, 64),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * 3 * 3, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10)
        )

    def forward(self, ink: Tensor) -> Tensor:
        return self.classifier(self.features((ink - 0.1307) / 0.3081))


class ServedDigits(nn.Module):
    """The exported graph: bytes in, the digit and its probabilities out, so that no client can scale them wrongly."""

    def __init__(self, network: DigitNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        probabilities = torch.softmax(self.network(image.unsqueeze(1).to(torch.float32) / 255.0), dim=1)
        return torch.argmax(probabilities, dim=1), probabilities


def uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low


def moved(ink: Tensor, generator: torch.Generator) -> Tensor:
    """Turned by up to 15 degrees, scaled by 0.8 to 1.15 along each axis, sheared, and shifted by up to 2 pixels."""
    count = len(ink)
    angle = uniform(count, -math.pi / 12, math.pi / 12, generator)
    shear = uniform(count, -0.2, 0.2, generator)
    across = 1 / uniform(count, 0.8, 1.15, generator)
    down = 1 / uniform(count, 0.8, 1.15, generator)
    cos, sin = torch.cos(angle), torch.sin(angle)
    # grid_sample counts half a picture, 14 pixels, as 1.
    shift_x, shift_y = (uniform(count, -2 / 14, 2 / 14, generator) for _ in "xy")
    top = torch.stack([across * cos, across * (shear * cos - sin), shift_x], dim=1)
    bottom = torch.stack([down * sin, down * (shear * sin + cos), shift_y], dim=1)
    grid = functional.affine_grid(torch.stack([top, bottom], dim=1), list(ink.shape), align_corners=False)
    return functional.grid_sample(ink, grid, align_corners=False)


def blended(ink: Tensor, changed: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Mixes a random part of `changed` into a random `share` of the pictures."""
    count = len(ink)
    weight = torch.rand(count, generator=generator) * (torch.rand(count, generator=generator) < share)
    return torch.lerp(ink, changed, weight.view(-1, 1, 1, 1))


def augmented(ink: Tensor, generator: torch.Generator) -> Tensor:
    ink = moved(ink, generator)
    ink = blended(ink, functional.max_pool2d(ink, 3, stride=1, padding=1), 0.3, generator)
    ink = blended(ink, -functional.max_pool2d(-ink, 3, stride=1, padding=1), 0.25, generator)
    ink = blended(ink, functional.avg_pool2d(ink, 3, stride=1, padding=1), 0.3, generator)
    gain = uniform(len(ink), 0.7, 1.5, generator).view(-1, 1, 1, 1)
    noise = uniform(len(ink), -0.05, 0.08, generator).clamp_min(0).view(-1, 1, 1, 1)
    return (ink * gain + torch.randn(ink.shape, generator=generator) * noise).clamp(0, 1)


def train(images: np.ndarray, labels: np.ndarray) -> DigitNetwork:
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    ink = torch.from_numpy(images).unsqueeze(1).float() / 255
    digits = torch.from_numpy(labels).long()
    network = DigitNetwork().train().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=1e-2)
    steps = len(ink) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_LEARNING_RATE, total_steps=EPOCHS * steps)
    for epoch in range(EPOCHS):
        started, total = time.monotonic(), 0.0
        for rows in torch.randperm(len(ink), generator=generator)[: steps * BATCH].split(BATCH):
            loss = functional.cross_entropy(network(augmented(ink[rows], generator)), digits[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}/{EPOCHS}: loss {total / steps:.4f}, {time.monotonic() - started:.0f} s", flush=True)
    return network.eval()


def export(network: DigitNetwork, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # The newer exporter needs one more package and gives the same graph.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            ServedDigits(network).eval(),
            (torch.zeros(2, 28, 28, dtype=torch.uint8),),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=["image"],
            output_names=["digit", "probabilities"],
            dynamic_axes={"image": {0: "batch"}, "digit": {0: "batch"}, "probabilities": {0: "batch"}},
        )
    onnx.checker.check_model(str(path), full_check=True)


def accuracy(path: Path, images: np.ndarray, labels: np.ndarray) -> float:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (predicted,) = session.run(["digit"], {"image": images})
    return float((predicted == labels).mean())


def manifest(score: float, picture_score: float, measured_on: str) -> dict[str, object]:
    return {
        "$schema": "../model.schema.json",
        "description": "Recognises one handwritten digit in a 28x28 picture: 0 is background, 255 is ink, the digit "
        "fits a box of 20x20 and its centre of mass is at the centre.",
        "labels": {"probabilities": [str(digit) for digit in range(10)]},
        "metadata": {
            "task": "classification",
            "trainedOn": "MNIST, 60,000 training digits, turned, scaled, moved, thickened, blurred and made noisy",
            "score": {"accuracy": round(score, 4), "measuredOn": measured_on},
            "pictureScore": {
                "accuracy": round(picture_score, 4),
                "measuredOn": f"{measured_on}, normalised like the pictures that people send",
            },
        },
    }


def evaluate(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Measures the exported model, prints its scores and writes them into its manifest."""
    path = folder / "1" / "model.onnx"
    score = accuracy(path, images, labels)
    picture_score = accuracy(path, np.stack([normalise_digit(image) for image in images]), labels)
    text = json.dumps(manifest(score, picture_score, f"MNIST t10k, {len(labels):,} digits"), indent=2)
    (folder / "model.json").write_text(text + "\n", encoding="utf-8")
    print(f"accuracy on {len(labels)} digits of t10k: {score:.4f}, as pictures: {picture_score:.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the digit classifier on MNIST.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the four MNIST idx files (.gz)")
    parser.add_argument("--models", type=Path, default=Path("models"), help="model repository to write to")
    arguments = parser.parse_args()

    folder = arguments.models / "digits"
    network = train(*read_mnist(arguments.data, "train"))
    export(network, folder / "1" / "model.onnx")

    evaluate(folder, *read_mnist(arguments.data, "t10k"))


if __name__ == "__main__":
    main()
