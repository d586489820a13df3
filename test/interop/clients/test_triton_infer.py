"""Inference with every type, shape and coding, by all clients of tritonclient."""

import itertools

import numpy as np
import pytest
from repository import LABELS, WEIGHTS, identity_name
from tensors import DATATYPES, NUMPY_TYPES, assert_same, not_finite, sample

FLOATS = ["FP16", "FP32", "FP64"]
CODINGS = [None, "gzip", "deflate"]


def echo(client, array, datatype, binary=True, **options):
    inputs = [client.input("x", array, datatype, binary)]
    return client.infer(identity_name(datatype), inputs, outputs=[client.output("y", binary)], **options)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("datatype", DATATYPES)
def test_every_type(client, datatype, binary):
    array = sample(datatype)
    assert_same(echo(client, array, datatype, binary).as_numpy("y"), array)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("datatype", DATATYPES)
def test_every_type_compressed(client, datatype, coding):
    array = np.tile(sample(datatype), (200, 1))
    for binary in (True, False):
        result = echo(client, array, datatype, binary, **client.compression(coding))
        assert_same(result.as_numpy("y"), array)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("datatype", FLOATS)
def test_nan_and_infinities(client, datatype, binary):
    array = not_finite(datatype)
    assert_same(echo(client, array, datatype, binary).as_numpy("y"), array)


@pytest.mark.parametrize("binary_in, binary_out", list(itertools.product([True, False], repeat=2)))
def test_one_way_binary_and_the_other_json(client, binary_in, binary_out):
    array = sample("FP32")
    inputs = [client.input("x", array, "FP32", binary_in)]
    result = client.infer(identity_name("FP32"), inputs, outputs=[client.output("y", binary_out)])
    assert_same(result.as_numpy("y"), array)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
@pytest.mark.parametrize("datatype", ["FP32", "INT64", "BOOL", "BYTES"])
def test_zero_size(client, datatype, shape, binary):
    array = np.empty(shape, NUMPY_TYPES[datatype])
    result = echo(client, array, datatype, binary).as_numpy("y")
    assert result.shape == shape


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_scalar(client, binary):
    array = np.array(2.5, np.float32)
    result = client.infer("scalar", [client.input("x", array, "FP32", binary)], outputs=[client.output("y", binary)])
    assert_same(result.as_numpy("y"), array)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_all_types_in_one_request(client, binary):
    arrays = {datatype: sample(datatype) for datatype in DATATYPES}
    inputs = [client.input(f"in_{datatype}", array, datatype, binary) for datatype, array in arrays.items()]
    outputs = [client.output(f"out_{datatype}", binary) for datatype in arrays]
    result = client.infer("every_type", inputs, outputs=outputs)
    for datatype, array in arrays.items():
        assert_same(result.as_numpy(f"out_{datatype}"), array)


def test_some_inputs_binary_and_others_json(client):
    arrays = {datatype: sample(datatype) for datatype in DATATYPES}
    inputs = [
        client.input(f"in_{datatype}", array, datatype, index % 2 == 0)
        for index, (datatype, array) in enumerate(arrays.items())
    ]
    outputs = [client.output(f"out_{datatype}", index % 3 == 0) for index, datatype in enumerate(arrays)]
    result = client.infer("every_type", inputs, outputs=outputs)
    for datatype, array in arrays.items():
        assert_same(result.as_numpy(f"out_{datatype}"), array)


def test_no_outputs_named_means_all(client):
    a = np.arange(16, dtype=np.int32).reshape(1, 16)
    b = np.full((1, 16), 3, np.int32)
    result = client.infer("add_sub", [client.input("INPUT0", a, "INT32"), client.input("INPUT1", b, "INT32")])
    assert_same(result.as_numpy("OUTPUT0"), a + b)
    assert_same(result.as_numpy("OUTPUT1"), a - b)


def test_outputs_are_those_named_in_that_order(client):
    a = np.ones((1, 16), np.int32)
    inputs = [client.input("INPUT0", a, "INT32"), client.input("INPUT1", a, "INT32")]
    only = client.infer("add_sub", inputs, outputs=[client.output("OUTPUT1")])
    assert only.as_numpy("OUTPUT0") is None
    assert_same(only.as_numpy("OUTPUT1"), a - a)
    both = client.infer("add_sub", inputs, outputs=[client.output("OUTPUT1"), client.output("OUTPUT0")])
    names = [each.name if client.is_grpc else each["name"] for each in response_of(client, both).outputs]
    assert names == ["OUTPUT1", "OUTPUT0"]


class Json:
    def __init__(self, members):
        self.__dict__.update(members)


def response_of(client, result):
    return result.get_response() if client.is_grpc else Json(result.get_response())


def test_the_id_and_the_version_come_back(client):
    array = np.zeros((1, 1), np.float32)
    inputs = [client.input("x", array, "FP32")]
    for version in ("1", "2"):
        response = response_of(client, client.infer("versions", inputs, version, request_id=f"run {version}"))
        assert (response.model_name, response.model_version, response.id) == ("versions", version, f"run {version}")
    assert client.infer("versions", inputs, "1").as_numpy("y").tolist() == [[1]]
    assert client.infer("versions", inputs, "2").as_numpy("y").tolist() == [[2]]
    assert client.infer("versions", inputs).as_numpy("y").tolist() == [[2]]


def test_options_are_taken(client):
    array = sample("FP32")
    result = echo(client, array, "FP32", priority=1, timeout=20_000_000, parameters={"mine": "x", "n": 3, "b": True})
    assert_same(result.as_numpy("y"), array)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_600_kilobytes(client, binary, coding):
    array = np.random.default_rng(1).standard_normal((1, 150_000)).astype(np.float32)
    assert_same(echo(client, array, "FP32", binary, **client.compression(coding)).as_numpy("y"), array)


def test_ten_megabytes(client):
    array = np.random.default_rng(2).standard_normal((10, 262_144)).astype(np.float32)
    assert_same(echo(client, array, "FP32").as_numpy("y"), array)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("k", [1, 2, 3, 10])
def test_classification(client, k, binary):
    features = np.random.default_rng(3).standard_normal((2, 4)).astype(np.float32)
    inputs = [client.input("features", features, "FP32")]
    result = client.infer("classifier", inputs, outputs=[client.output("scores", binary, classes=k)])
    classes = result.as_numpy("scores")
    assert classes.shape == (2, min(k, 3))
    for row, scores in zip(classes, features @ WEIGHTS, strict=True):
        parts = [to_text(each).split(":") for each in row]
        best = np.argsort(-scores)[:k].tolist()
        assert [int(index) for _, index, _ in parts] == best
        assert [label for _, _, label in parts] == [LABELS[index] for index in best]
        np.testing.assert_allclose([float(score) for score, _, _ in parts], scores[best], atol=1e-5)


def to_text(element):
    return element.decode() if isinstance(element, bytes) else element


def test_concurrent_requests_keep_to_themselves(client):
    arrays = [np.full((1 + number % 4, 1 + number % 3), number, np.float32) for number in range(64)]
    requests = [
        {"model_name": identity_name("FP32"), "inputs": [client.input("x", array, "FP32", binary=number % 2 == 0)]}
        for number, array in enumerate(arrays)
    ]
    for result, array in zip(client.gather(requests), arrays, strict=True):
        assert_same(result.as_numpy("y"), array)
