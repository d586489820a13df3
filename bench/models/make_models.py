"""Makes the benchmark's models: `python make_models.py FOLDER` writes FOLDER/{mid,heavy,binary}.onnx.

The weights are random with a fixed seed: speed does not depend on what a network has learnt.
They are scaled (He initialisation) so that activations stay in range; denormal numbers would be slow to multiply.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 9


class Graph:
    """Collects nodes and weights in the order in which data flows."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, shape: tuple[int, ...], fan_in: int) -> str:
        values = self.random.normal(0.0, np.sqrt(2.0 / fan_in), shape).astype(np.float32)
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def node(self, operator: str, *inputs: str, output: str | None = None, **attributes: object) -> str:
        output = output or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def dense(self, x: str, inputs: int, outputs: int) -> str:
        return self.node("Gemm", x, self.weight((inputs, outputs), inputs), self.weight((outputs,), outputs))

    def conv(self, x: str, inputs: int, outputs: int, kernel: int, stride: int = 1) -> str:
        weight = self.weight((outputs, inputs, kernel, kernel), inputs * kernel * kernel)
        pads = [kernel // 2] * 4
        linear = self.node("Conv", x, weight, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads)
        return self.node("Relu", linear)

    def classify(self, x: str, channels: int, classes: int) -> None:
        pooled = self.node("Flatten", self.node("GlobalAveragePool", x))
        self.node("Softmax", self.dense(pooled, channels, classes), output="probabilities", axis=1)

    def save(self, path: Path, input_name: str, shape: list[int | str], classes: int) -> None:
        graph = helper.make_graph(
            self.nodes,
            path.stem,
            [helper.make_tensor_value_info(input_name, TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", classes])],
            self.weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        onnx.save(model, path)


def mid(path: Path) -> None:
    """A 784-1024-1024-10 perceptron."""
    graph = Graph(seed=1)
    hidden = graph.node("Relu", graph.dense("x", 784, 1024))
    hidden = graph.node("Relu", graph.dense(hidden, 1024, 1024))
    graph.node("Softmax", graph.dense(hidden, 1024, 10), output="probabilities", axis=1)
    graph.save(path, "x", ["batch", 784], 10)


def heavy(path: Path) -> None:
    """A convolutional network of 5 to 10 ms a picture of 3 x 32 x 32 on one thread: much work, little JSON."""
    graph = Graph(seed=2)
    channels = 96
    x = graph.conv("image", 3, channels, kernel=3)
    for _ in range(8):
        x = graph.conv(x, channels, channels, kernel=3)
    graph.classify(x, channels, 10)
    graph.save(path, "image", ["batch", 3, 32, 32], 10)


def binary(path: Path) -> None:
    """A small convolutional network on pictures of 3 x 224 x 224: 602,112 bytes of input."""
    graph = Graph(seed=3)
    x = graph.conv("image", 3, 48, kernel=3, stride=2)
    x = graph.conv(x, 48, 80, kernel=3, stride=2)
    x = graph.conv(x, 80, 96, kernel=3, stride=2)
    graph.classify(x, 96, 10)
    graph.save(path, "image", ["batch", 3, 224, 224], 10)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for make in (mid, heavy, binary):
        make(folder / f"{make.__name__}.onnx")


if __name__ == "__main__":
    main()
