"""What every training script writes: a model of the repository, and the fixture that other code is tested with."""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

ROOT = Path(__file__).resolve().parent.parent


def arguments(description: str, needs_data: bool = True) -> argparse.Namespace:
    """Read the command line that all training scripts share."""
    parser = argparse.ArgumentParser(description=description)
    if needs_data:
        parser.add_argument("--data", type=Path, required=True, help="folder with the data sets")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="model repository to write to")
    parser.add_argument("--fixtures", type=Path, default=ROOT / "test" / "fixtures", help="folder for the fixture")
    return parser.parse_args()


def build_model(graph: str, initializers: dict[str, np.ndarray]) -> onnx.ModelProto:
    """Parse a graph in ONNX's text form and add its weights, each under the name that the graph uses."""
    model = onnx.parser.parse_model(graph)
    model.producer_name = "inferd"
    model.graph.initializer.extend(onnx.numpy_helper.from_array(array, name) for name, array in initializers.items())
    return model


def save_model(
    repository: Path,
    name: str,
    model: onnx.ModelProto,
    *,
    description: str,
    labels: dict[str, list[str]],
    trained_on: str,
    accuracy: float,
    measured_on: str,
) -> Path:
    """Write version 1 of a model and its model.json. No time stamps: a second run writes the same bytes."""
    onnx.checker.check_model(model, full_check=True)
    path = repository / name / "1" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
    manifest = {
        "$schema": "../model.schema.json",
        "description": description,
        "labels": labels,
        "metadata": {
            "task": "classification",
            "trainedOn": trained_on,
            "score": {"accuracy": round(accuracy, 4), "measuredOn": measured_on},
        },
    }
    write_json(repository / name / "model.json", manifest)
    print(f"{path}: {path.stat().st_size:,} bytes")
    return path


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """Load a model on one CPU thread, as a runner of the server does."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def write_fixture(folder: Path, name: str, cases: list[dict[str, object]]) -> None:
    """Write the cases that a model is checked with, one a line so that a difference is easy to read."""
    lines = ",\n".join(f"    {json.dumps(case, ensure_ascii=False)}" for case in cases)
    folder.mkdir(parents=True, exist_ok=True)
    text = f'{{\n  "model": "{name}",\n  "cases": [\n{lines}\n  ]\n}}\n'
    (folder / f"{name}.json").write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
