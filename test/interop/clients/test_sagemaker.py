"""The calls that SageMaker and Vertex AI make to a container, as their documentation has them."""

import json

import numpy as np
import pytest
import requests
from repository import WEIGHTS
from server import running_server

FEATURES = np.array([[1, 2, 3, 4], [0, -1, 0.5, 2]], np.float32)
SCORES = FEATURES @ WEIGHTS


def test_ping(server):
    reply = requests.get(f"{server.url}/ping", timeout=2)
    assert (reply.status_code, reply.content) == (200, b"")


def test_execution_parameters(server):
    parameters = requests.get(f"{server.url}/execution-parameters", timeout=5).json()
    assert set(parameters) == {"MaxConcurrentTransforms", "BatchStrategy", "MaxPayloadInMB"}


HEADERS = {
    "Accept": "application/json",
    "X-Amzn-SageMaker-Custom-Attributes": "trace=1",
    "X-Amzn-SageMaker-Target-Variant": "main",
    "X-Amzn-SageMaker-Inference-Id": "42",
}


@pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream", None])
def test_invocations(server, content_type):
    headers = HEADERS | ({} if content_type is None else {"Content-Type": content_type})
    body = json.dumps({"instances": FEATURES.tolist()})
    reply = requests.post(f"{server.url}/invocations", data=body, headers=headers, timeout=60)
    assert reply.status_code == 200, reply.text
    np.testing.assert_allclose([row["scores"] for row in reply.json()["predictions"]], SCORES, rtol=1e-5)


def test_csv_without_a_header(server):
    body = "\n".join(",".join(map(str, row)) for row in FEATURES.tolist())
    reply = requests.post(f"{server.url}/invocations", data=body, headers={"Content-Type": "text/csv"}, timeout=60)
    np.testing.assert_allclose([row["scores"] for row in reply.json()["predictions"]], SCORES, rtol=1e-5)


def test_open_inference_in_json(server):
    tensor = {"name": "features", "datatype": "FP32", "shape": [2, 4], "data": FEATURES.ravel().tolist()}
    reply = requests.post(f"{server.url}/invocations", json={"inputs": [tensor]}, timeout=60)
    outputs = {output["name"]: output for output in reply.json()["outputs"]}
    np.testing.assert_allclose(outputs["scores"]["data"], SCORES.ravel(), rtol=1e-5)


def test_open_inference_in_bytes(server):
    section = FEATURES.tobytes()
    parameters = {"binary_data_size": len(section)}
    tensor = {"name": "features", "datatype": "FP32", "shape": [2, 4], "parameters": parameters}
    outputs = [{"name": "scores", "parameters": {"binary_data": True}}]
    header = json.dumps({"inputs": [tensor], "outputs": outputs}).encode()
    media_type = "application/vnd.sagemaker-triton.binary+json;json-header-size="
    reply = requests.post(
        f"{server.url}/invocations",
        data=header + section,
        headers={"Content-Type": f"{media_type}{len(header)}"},
        timeout=60,
    )
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Type"].startswith(media_type)
    json_bytes = int(reply.headers["Content-Type"].removeprefix(media_type))
    [output] = json.loads(reply.content[:json_bytes])["outputs"]
    scores = np.frombuffer(reply.content[json_bytes:], np.float32).reshape(output["shape"])
    np.testing.assert_allclose(scores, SCORES, rtol=1e-5)


def test_refusals(server):
    for body in (b"", b"{", b'{"instances":[]}'):
        assert requests.post(f"{server.url}/invocations", data=body, timeout=60).status_code == 400


@pytest.fixture(scope="module")
def multi_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("multi_model")
    with running_server(folder, SAGEMAKER_MULTI_MODEL="1") as server:
        yield server


def test_multi_model_endpoint(multi_model):
    url = f"{multi_model.url}/models"
    name = "dGhlIGhhc2g-like_name"
    folder = multi_model.repository / "classifier"
    load = {"model_name": name, "url": str(folder)}
    instances = {"instances": FEATURES.tolist()}

    assert requests.post(f"{url}/{name}/invoke", json=instances, timeout=60).status_code == 404
    assert requests.get(f"{url}/{name}", timeout=5).status_code == 404
    assert requests.post(url, json=load, timeout=60).status_code == 200
    assert requests.post(url, json=load, timeout=60).status_code == 409
    assert requests.get(f"{url}/{name}", timeout=5).json() == {"modelName": name, "modelUrl": str(folder)}
    assert {"modelName": name, "modelUrl": str(folder)} in requests.get(url, timeout=5).json()["models"]

    headers = {"X-Amzn-SageMaker-Target-Model": "classifier.tar.gz"}
    reply = requests.post(f"{url}/{name}/invoke", json=instances, headers=headers, timeout=60)
    np.testing.assert_allclose([row["scores"] for row in reply.json()["predictions"]], SCORES, rtol=1e-5)

    assert requests.delete(f"{url}/{name}", timeout=60).status_code == 200
    assert requests.delete(f"{url}/{name}", timeout=60).status_code == 404
    assert requests.post(f"{url}/{name}/invoke", json=instances, timeout=60).status_code == 404


def test_multi_model_load_that_fails(multi_model, tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "model.onnx").write_bytes(b"no model")
    load = {"model_name": "broken", "url": str(tmp_path)}
    reply = requests.post(f"{multi_model.url}/models", json=load, timeout=60)
    assert reply.status_code == 400
    assert "protobuf" in reply.text.lower()
    assert requests.get(f"{multi_model.url}/models/broken", timeout=5).status_code == 404


def test_vertex(tmp_path):
    deployed = "/v1/endpoints/12/deployedModels/34"
    routes = {"AIP_HEALTH_ROUTE": deployed, "AIP_PREDICT_ROUTE": f"{deployed}:predict", "AIP_MODE": "PREDICTION"}
    with running_server(tmp_path, DEFAULT_MODEL="classifier", **routes) as server:
        assert requests.get(server.url + deployed, timeout=10).status_code == 200
        body = {"instances": FEATURES.tolist(), "parameters": {}}
        reply = requests.post(f"{server.url}{deployed}:predict", json=body, timeout=60)
        np.testing.assert_allclose([row["scores"] for row in reply.json()["predictions"]], SCORES, rtol=1e-5)
