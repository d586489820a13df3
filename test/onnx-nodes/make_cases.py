"""Writes the ONNX backend node tests as make_cases.py <folder>: for each a model and its inputs as they go over the wire.

A case is <name>/model.onnx and <name>/case.json, which lists for every input its name, data type of the Open Inference
Protocol, shape, and its bytes in base64. The data type is null where that protocol has none: bfloat16, 8-bit floats,
types of less than a byte, complex numbers, sequences and optionals.
"""

import base64
import json
import struct
import sys
import warnings
from pathlib import Path

import numpy as np
from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases

DATATYPES = {
    TensorProto.BOOL: "BOOL",
    TensorProto.UINT8: "UINT8",
    TensorProto.UINT16: "UINT16",
    TensorProto.UINT32: "UINT32",
    TensorProto.UINT64: "UINT64",
    TensorProto.INT8: "INT8",
    TensorProto.INT16: "INT16",
    TensorProto.INT32: "INT32",
    TensorProto.INT64: "INT64",
    TensorProto.FLOAT16: "FP16",
    TensorProto.FLOAT: "FP32",
    TensorProto.DOUBLE: "FP64",
    TensorProto.STRING: "BYTES",
}


def describe_input(value, info):
    kind = info.type.WhichOneof("value")
    datatype = DATATYPES.get(info.type.tensor_type.elem_type) if kind == "tensor_type" else None
    if datatype is None or value is None or isinstance(value, (list, dict)):
        return {"name": info.name, "datatype": None}
    array = numpy_helper.to_array(value) if isinstance(value, TensorProto) else np.asarray(value)
    return {
        "name": info.name,
        "datatype": datatype,
        "shape": list(array.shape),
        "base64": base64.b64encode(section(array, datatype)).decode(),
    }


def section(array, datatype):
    if datatype != "BYTES":
        return np.ascontiguousarray(array).tobytes()
    texts = [text if isinstance(text, bytes) else str(text).encode() for text in array.ravel()]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def main():
    folder = Path(sys.argv[1])
    # Some cases draw their inputs at random.
    np.random.seed(0)
    warnings.simplefilter("ignore")
    for case in collect_testcases(None):
        [(inputs, _)] = case.data_sets
        described = [describe_input(*pair) for pair in zip(inputs, case.model.graph.input, strict=False)]
        target = folder / case.name
        target.mkdir(parents=True)
        (target / "model.onnx").write_bytes(case.model.SerializeToString())
        (target / "case.json").write_text(json.dumps({"name": case.name, "inputs": described}))


main()
