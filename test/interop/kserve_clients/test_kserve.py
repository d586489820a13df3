"""The inference clients of KServe: REST with V1 and V2, and gRPC."""

import asyncio

import grpc
import httpx
import numpy as np
import pytest
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput
from repository import WEIGHTS, identity_name
from tensors import DATATYPES, assert_same, not_finite, sample

FEATURES = np.random.default_rng(6).standard_normal((3, 4)).astype(np.float32)
SCORES = FEATURES @ WEIGHTS
PROTOCOLS = ["v2", "grpc"]


class Client:
    """A client whose methods are called without await, and know where the server is."""

    def __init__(self, protocol, server):
        self.is_grpc = protocol == "grpc"
        self._runner = asyncio.Runner()
        self._base = () if self.is_grpc else (server.url,)
        # The client of gRPC wants a running loop when it is made.
        self._client = self._runner.run(self._make(protocol, server))

    async def _make(self, protocol, server):
        if self.is_grpc:
            return InferenceGRPCClient(server.grpc, retries=0)
        return InferenceRESTClient(RESTConfig(protocol=protocol))

    def close(self):
        self._runner.run(self._client.close())
        self._runner.close()

    def infer(self, request, model):
        if self.is_grpc:
            return self._runner.run(self._client.infer(request))
        return self._runner.run(self._client.infer(*self._base, request, model_name=model))

    def gather(self, requests):
        return self._runner.run(self._gather(requests))

    async def _gather(self, requests):
        options = {} if self.is_grpc else {"model_name": requests[0].model_name}
        return await asyncio.gather(
            *(self._client.infer(*self._base, request, **options) for request in requests)
        )

    def __getattr__(self, method):
        return lambda *arguments: self._runner.run(getattr(self._client, method)(*self._base, *arguments))


@pytest.fixture(params=PROTOCOLS)
def client(request, server):
    client = Client(request.param, server)
    yield client
    client.close()


@pytest.fixture
def v1(server):
    client = Client("v1", server)
    yield client
    client.close()


def request_of(model, arrays, binary, outputs=None):
    inputs = []
    for name, (datatype, array) in arrays.items():
        tensor = InferInput(name=name, shape=list(array.shape), datatype=datatype)
        tensor.set_data_from_numpy(array, binary_data=binary)
        inputs.append(tensor)
    request = InferRequest(model_name=model, infer_inputs=inputs, request_id="run 1")
    if outputs is not None:
        request.request_outputs = outputs
    return request


def output_of(response, name):
    [output] = [output for output in response.outputs if output.name == name]
    return output.as_numpy()


def test_health(client):
    assert client.is_server_live() is True
    assert client.is_server_ready() is True
    assert client.is_model_ready("classifier") is True


def test_unknown_model_is_not_ready(client):
    assert client.is_model_ready("nobody") is False


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("datatype", DATATYPES)
def test_every_type(client, datatype, binary):
    array = sample(datatype)
    request = request_of(identity_name(datatype), {"x": (datatype, array)}, binary)
    if datatype == "FP16" and not binary:
        # The client itself refuses halves that are not bytes.
        with pytest.raises(Exception, match="FP16|datatype"):
            client.infer(request, request.model_name)
        return
    response = client.infer(request, request.model_name)
    assert (response.model_name, response.id) == (request.model_name, "run 1")
    assert_same(output_of(response, "y"), array)


@pytest.mark.parametrize("datatype", DATATYPES)
def test_every_type_with_binary_outputs(client, datatype):
    array = sample(datatype)
    outputs = [RequestedOutput("y", parameters={"binary_data": True})]
    request = request_of(identity_name(datatype), {"x": (datatype, array)}, True, outputs)
    assert_same(output_of(client.infer(request, request.model_name), "y"), array)


@pytest.mark.parametrize("datatype", ["FP32", "FP64"])
def test_nan_and_infinities(client, datatype):
    array = not_finite(datatype)
    request = request_of(identity_name(datatype), {"x": (datatype, array)}, True)
    assert_same(output_of(client.infer(request, request.model_name), "y"), array)


def test_nan_as_orjson_writes_it(client):
    array = np.array([[np.nan, 1]], np.float32)
    request = request_of(identity_name("FP32"), {"x": ("FP32", array)}, False)
    assert_same(output_of(client.infer(request, request.model_name), "y"), array)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_zero_size(client, binary):
    array = np.empty((0, 3), np.float32)
    request = request_of(identity_name("FP32"), {"x": ("FP32", array)}, binary)
    assert output_of(client.infer(request, request.model_name), "y").shape == (0, 3)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_scalar(client, binary):
    array = np.array(2.5, np.float32)
    request = request_of("scalar", {"x": ("FP32", array)}, binary)
    assert_same(output_of(client.infer(request, "scalar"), "y"), array)


def test_all_types_in_one_request(client):
    arrays = {f"in_{datatype}": (datatype, sample(datatype)) for datatype in DATATYPES}
    response = client.infer(request_of("every_type", arrays, True), "every_type")
    for datatype in DATATYPES:
        assert_same(output_of(response, f"out_{datatype}"), sample(datatype))


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_600_kilobytes(client, binary):
    array = np.random.default_rng(7).standard_normal((1, 150_000)).astype(np.float32)
    request = request_of(identity_name("FP32"), {"x": ("FP32", array)}, binary)
    assert_same(output_of(client.infer(request, request.model_name), "y"), array)


def test_concurrent_requests_keep_to_themselves(client):
    arrays = [np.full((1 + number % 4, 2), number, np.float32) for number in range(32)]
    requests = [request_of(identity_name("FP32"), {"x": ("FP32", array)}, True) for array in arrays]
    for response, array in zip(client.gather(requests), arrays, strict=True):
        assert_same(output_of(response, "y"), array)


@pytest.mark.parametrize(
    "model, name, datatype, status",
    [
        ("nobody", "x", "FP32", (404, grpc.StatusCode.NOT_FOUND)),
        (identity_name("FP32"), "z", "FP32", (400, grpc.StatusCode.INVALID_ARGUMENT)),
        (identity_name("FP32"), "x", "FP64", (400, grpc.StatusCode.INVALID_ARGUMENT)),
    ],
)
def test_errors(client, model, name, datatype, status):
    request = request_of(model, {name: (datatype, sample(datatype))}, True)
    with pytest.raises((httpx.HTTPStatusError, grpc.RpcError)) as refusal:
        client.infer(request, model)
    if client.is_grpc:
        assert refusal.value.code() == status[1]
        assert refusal.value.details()
    else:
        assert refusal.value.response.status_code == status[0]
        # The client shows the message only where the media type is just what it expects.
        assert refusal.value.response.json()["error"] in str(refusal.value)


def test_v1_health(v1):
    assert v1.is_server_live() is True
    assert v1.is_model_ready("classifier") is True
    with pytest.raises(httpx.HTTPStatusError, match="nobody"):
        v1.is_model_ready("nobody")


def test_v1_instances(v1):
    predictions = v1.infer({"instances": FEATURES.tolist()}, "classifier")["predictions"]
    np.testing.assert_allclose([row["scores"] for row in predictions], SCORES, rtol=1e-5)


def test_v1_instances_of_several_inputs(v1):
    instances = [{"age": [30], "fare": [2.5], "name": ["Ada"]}, {"age": [41], "fare": [3], "name": ["Grüße"]}]
    predictions = v1.infer({"instances": instances}, "columns")["predictions"]
    assert predictions == [{"product": [75], "who": ["Ada"]}, {"product": [123], "who": ["Grüße"]}]


@pytest.mark.parametrize("datatype", [datatype for datatype in DATATYPES if datatype != "BYTES"])
def test_v1_every_type(v1, datatype):
    array = sample(datatype)
    predictions = v1.infer({"instances": array.tolist()}, identity_name(datatype))["predictions"]
    assert_same(np.array(predictions, array.dtype), array)


def test_v1_texts(v1):
    texts = [[text.decode() for text in row] for row in sample("BYTES").tolist()]
    assert v1.infer({"instances": texts}, identity_name("BYTES"))["predictions"] == texts


def test_v1_columns(v1):
    outputs = v1.infer({"inputs": FEATURES.tolist()}, "classifier")["outputs"]
    np.testing.assert_allclose(outputs["scores"], SCORES, rtol=1e-5)


@pytest.mark.parametrize(
    "body", [{}, {"instances": []}, {"instances": [[1]]}, {"instances": [["a", "b", "c", "d"]]}, {"instances": 5}]
)
def test_v1_errors(v1, body):
    with pytest.raises(httpx.HTTPStatusError) as refusal:
        v1.infer(body, "classifier")
    assert refusal.value.response.status_code == 400
    assert refusal.value.response.json()["error"] in str(refusal.value)


def test_v1_unknown_model(v1):
    with pytest.raises(httpx.HTTPStatusError, match="nobody") as refusal:
        v1.infer({"instances": [[1]]}, "nobody")
    assert refusal.value.response.status_code == 404
