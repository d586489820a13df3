"""Writes the model repository of these tests; it is the same every time."""

import json
import shutil

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

ONNX_TYPES = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}
LABELS = ["setosa", "versicolor", "virginica"]
WEIGHTS = np.random.default_rng(4).standard_normal((4, 3)).astype(np.float32)


def identity_name(datatype):
    return f"identity_{datatype.lower()}"


def write_repository(folder):
    for datatype, kind in ONNX_TYPES.items():
        write(folder, identity_name(datatype), **identity({"x": "y"}, kind, ["n", "m"]))
    write(folder, "scalar", **identity({"x": "y"}, TensorProto.FLOAT, []))
    write(folder, "every_type", **every_type())
    write(folder, "add_sub", **add_sub())
    write(folder, "classifier", manifest={"labels": {"scores": LABELS, "label": LABELS}}, **classifier())
    write(folder, "columns", **columns())
    for version in (1, 2):
        write(folder, "versions", version=version, manifest={"versionPolicy": "all"}, **plus(version))
    write(folder, "on_demand", **plus(10))
    write_graphs(folder)


def write(folder, name, *, nodes, inputs, outputs, constants=(), version=1, manifest=None):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(constants))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    checker.check_model(model)
    path = folder / name / str(version)
    path.mkdir(parents=True)
    save(model, path / "model.onnx")
    if manifest is not None:
        (folder / name / "model.json").write_text(json.dumps(manifest))


def write_graphs(folder):
    """Models made of the others."""
    twice = [{"name": "first", "model": "versions@1"}, {"name": "second", "model": "versions@2", "in": {"x": "first.y"}}]
    write_graph(folder, "chain", steps=twice, outputs={"first": "first.y", "y": "second.y"})
    for datatype in ("FP16", "FP32", "FP64"):
        write_graph(folder, f"combine_{datatype.lower()}", **combinations(datatype, FLOAT_COMBINATIONS))
    write_graph(folder, "combine_int64", **combinations("INT64", INTEGER_COMBINATIONS))
    write_graph(folder, "combine_bytes", **combinations("BYTES", {"vote": {"combine": "vote"}, "concat": {"combine": "concat"}}))


FLOAT_COMBINATIONS = {
    "mean": {"combine": "mean", "weights": [2, 1, 1], "index": True},
    "mean_skip": {"combine": "mean", "nan": "skip"},
    "max": {"combine": "max"},
    "max_skip": {"combine": "max", "nan": "skip"},
    "min": {"combine": "min"},
    "concat": {"combine": "concat", "axis": 1},
}
INTEGER_COMBINATIONS = {"vote": {"combine": "vote", "weights": [3, 2, 2]}, "max": {"combine": "max"}, "min": {"combine": "min"}}


def combinations(datatype, combined):
    """The inputs a, b and c by identity models, and every combination of them."""
    steps = [{"name": name, "model": identity_name(datatype), "in": {"x": f"input.{name}"}} for name in "abc"]
    steps += [{"name": name, "of": ["a.y", "b.y", "c.y"], **combine} for name, combine in combined.items()]
    outputs = {name: f"{name}.value" for name in combined}
    if "mean" in combined:
        outputs["index"] = "mean.index"
    if "vote" in combined:
        outputs["share"] = "vote.share"
    return {"steps": steps, "outputs": outputs}


def write_graph(folder, name, **graph):
    path = folder / name / "1"
    path.mkdir(parents=True)
    (path / "graph.json").write_text(json.dumps(graph))


def write_broken(folder, name):
    (folder / name / "1").mkdir(parents=True)
    (folder / name / "1" / "model.onnx").write_bytes(b"no model")


def remove(folder, name):
    shutil.rmtree(folder / name)


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def identity(names, kind, shape):
    return {
        "nodes": [helper.make_node("Identity", [x], [y]) for x, y in names.items()],
        "inputs": [value(x, kind, shape) for x in names],
        "outputs": [value(y, kind, shape) for y in names.values()],
    }


def every_type():
    """Gives back what it takes: an input and an output of every data type."""
    return {
        "nodes": [helper.make_node("Identity", [f"in_{name}"], [f"out_{name}"]) for name in ONNX_TYPES],
        "inputs": [value(f"in_{name}", kind, ["n", 3]) for name, kind in ONNX_TYPES.items()],
        "outputs": [value(f"out_{name}", kind, ["n", 3]) for name, kind in ONNX_TYPES.items()],
    }


def add_sub():
    names = ["INPUT0", "INPUT1"]
    return {
        "nodes": [helper.make_node("Add", names, ["OUTPUT0"]), helper.make_node("Sub", names, ["OUTPUT1"])],
        "inputs": [value(name, TensorProto.INT32, ["n", 16]) for name in names],
        "outputs": [value(name, TensorProto.INT32, ["n", 16]) for name in ("OUTPUT0", "OUTPUT1")],
    }


def classifier():
    return {
        "nodes": [
            helper.make_node("MatMul", ["features", "weights"], ["scores"]),
            helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=0),
        ],
        "inputs": [value("features", TensorProto.FLOAT, ["n", 4])],
        "outputs": [value("label", TensorProto.INT64, ["n"]), value("scores", TensorProto.FLOAT, ["n", 3])],
        "constants": [numpy_helper.from_array(WEIGHTS, "weights")],
    }


def columns():
    """Two columns of a table, of different types, as scikit-learn's pipelines take them."""
    return {
        "nodes": [
            helper.make_node("Cast", ["age"], ["years"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["years", "fare"], ["product"]),
            helper.make_node("Identity", ["name"], ["who"]),
        ],
        "inputs": [
            value("age", TensorProto.INT64, ["n", 1]),
            value("fare", TensorProto.FLOAT, ["n", 1]),
            value("name", TensorProto.STRING, ["n", 1]),
        ],
        "outputs": [value("product", TensorProto.FLOAT, ["n", 1]), value("who", TensorProto.STRING, ["n", 1])],
    }


def plus(number):
    return {
        "nodes": [helper.make_node("Add", ["x", "number"], ["y"])],
        "inputs": [value("x", TensorProto.FLOAT, ["n", "m"])],
        "outputs": [value("y", TensorProto.FLOAT, ["n", "m"])],
        "constants": [numpy_helper.from_array(np.array(number, dtype=np.float32), "number")],
    }
