"""What is refused, and how the clients of tritonclient see it."""

import numpy as np
import pytest
from repository import identity_name
from tensors import sample
from tritonclient.utils import InferenceServerException

X = np.ones((1, 2), np.float32)
WRONG = ("400", "StatusCode.INVALID_ARGUMENT")
UNKNOWN = ("404", "StatusCode.NOT_FOUND")


def refused(client, statuses, call, message):
    with pytest.raises(InferenceServerException, match=message) as refusal:
        call()
    assert refusal.value.status() == statuses[client.is_grpc]
    assert client.is_server_live()


def infer(client, *inputs, model=identity_name("FP32"), **options):
    return lambda: client.infer(model, list(inputs), **options)


def test_unknown_model(client):
    x = client.input("x", X, "FP32")
    refused(client, UNKNOWN, infer(client, x, model="nobody"), "nobody")
    refused(client, UNKNOWN, lambda: client.get_model_metadata("nobody"), "nobody")
    refused(client, UNKNOWN, lambda: client.get_model_config("nobody"), "nobody")


def test_unknown_version(client):
    refused(client, UNKNOWN, infer(client, client.input("x", X, "FP32"), model_version="7"), "7")


def test_wrong_name_of_an_input(client):
    refused(client, WRONG, infer(client, client.input("z", X, "FP32")), '"?z"?')


def test_missing_input(client):
    a = client.input("INPUT0", np.ones((1, 16), np.int32), "INT32")
    refused(client, WRONG, infer(client, a, model="add_sub"), "INPUT1")


def test_one_input_too_many(client):
    inputs = [client.input("x", X, "FP32"), client.input("more", X, "FP32")]
    refused(client, WRONG, infer(client, *inputs), "more")


def test_an_input_twice(client):
    inputs = [client.input("x", X, "FP32"), client.input("x", X, "FP32")]
    refused(client, WRONG, infer(client, *inputs), "x")


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_wrong_type(client, binary):
    x = client.input("x", X.astype(np.float64), "FP64", binary)
    refused(client, WRONG, infer(client, x), "FP64")


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("shape", [(16,), (1, 15), (1, 16, 1)])
def test_wrong_shape(client, shape, binary):
    inputs = [client.input(name, np.ones(shape, np.int32), "INT32", binary) for name in ("INPUT0", "INPUT1")]
    refused(client, WRONG, infer(client, *inputs, model="add_sub"), "INPUT0")


def test_shapes_that_only_the_model_can_refuse(client):
    inputs = [client.input(f"INPUT{rows - 2}", np.ones((rows, 16), np.int32), "INT32") for rows in (2, 3)]
    refused(client, WRONG, infer(client, *inputs, model="add_sub"), ".")


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_shape_that_the_data_does_not_fill(client, binary):
    x = client.input("x", X, "FP32", binary)
    x.set_shape([1, 3])
    refused(client, WRONG, infer(client, x), "x")


def test_unknown_type(client):
    # The client itself checks the type of the data only.
    x = client.input("x", X, "FP32")
    if client.is_grpc:
        x._input.datatype = "FP31"
    else:
        x._datatype = "FP31"
    refused(client, WRONG, infer(client, x), "FP31")


def test_unknown_output(client):
    x = client.input("x", X, "FP32")
    refused(client, WRONG, infer(client, x, outputs=[client.output("nothing")]), "nothing")


def test_text_that_is_not_utf8(client):
    array = np.array([[b"\xff\xfe"]], np.object_)
    x = client.input("x", array, "BYTES")
    refused(client, WRONG, infer(client, x, model=identity_name("BYTES")), "UTF-8")


def test_text_with_a_nul(client):
    x = client.input("x", np.array([[b"a\0b"]], np.object_), "BYTES")
    refused(client, WRONG, infer(client, x, model=identity_name("BYTES")), "NUL")


def test_classification_of_texts(client):
    x = client.input("x", sample("BYTES"), "BYTES")
    outputs = [client.output("y", classes=2)]
    refused(client, WRONG, infer(client, x, model=identity_name("BYTES"), outputs=outputs), "BYTES")


def test_shared_memory(client):
    x = client.input("x", X, "FP32").set_shared_memory("region", X.nbytes)
    refused(client, WRONG, infer(client, x), "(?i)shared|data")
