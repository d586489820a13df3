"""MLflow's own client of its scoring server, and what else its server takes."""

import numpy as np
import pandas as pd
import pytest
import requests
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
from repository import WEIGHTS
from server import running_server

FEATURES = np.random.default_rng(5).standard_normal((3, 4)).astype(np.float32)
SCORES = FEATURES @ WEIGHTS
TABLE = pd.DataFrame({"age": [30, 41], "fare": [2.5, 3.0], "name": ["Ada", "Grüße 👋"]})


@pytest.fixture(scope="module")
def table_server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("mlflow"), DEFAULT_MODEL="columns") as server:
        yield server


def client_of(server):
    return ScoringServerClient(*server.address.split(":"))


def post(server, **request):
    return requests.post(f"{server.url}/invocations", timeout=30, **request)


def test_health_and_version(server):
    client = client_of(server)
    client.wait_server_ready(timeout=5)
    assert client.get_version()
    health = requests.get(f"{server.url}/health", timeout=5)
    assert (health.status_code, health.text) == (200, "\n")


@pytest.mark.parametrize("data", [FEATURES, FEATURES.tolist()], ids=["array", "list"])
def test_arrays(server, data):
    predictions = client_of(server).invoke(data)["predictions"]
    np.testing.assert_allclose(predictions["scores"], SCORES, rtol=1e-5)
    assert predictions["label"] == SCORES.argmax(axis=1).tolist()


def test_data_frame_of_one_input(server):
    frame = pd.DataFrame(FEATURES.astype(np.float64), columns=["a", "b", "c", "d"])
    predictions = client_of(server).invoke(frame).get_predictions()
    np.testing.assert_allclose(np.stack(predictions["scores"]), SCORES, rtol=1e-5)


def test_data_frame_of_typed_columns(table_server):
    assert_table(client_of(table_server).invoke(TABLE))


def test_params_choose_outputs(table_server):
    result = client_of(table_server).invoke(TABLE, params={"outputs": ["product"]})
    assert result["predictions"] == [[75], [123]]


def test_records(table_server):
    reply = post(table_server, json={"dataframe_records": TABLE.to_dict(orient="records")})
    assert reply.status_code == 200, reply.text
    assert_table(reply.json())


@pytest.mark.parametrize("content_type", ["text/csv", "text/csv; charset=utf-8"])
def test_csv(table_server, content_type):
    body = TABLE.to_csv(index=False).encode()
    reply = post(table_server, data=body, headers={"Content-Type": content_type})
    assert reply.status_code == 200, reply.text
    assert_table(reply.json())


def assert_table(reply):
    rows = reply["predictions"]
    assert [row["product"] for row in rows] == [[75], [123]]
    assert [row["who"] for row in rows] == [["Ada"], ["Grüße 👋"]]


@pytest.mark.parametrize("key", ["instances", "inputs"])
def test_tensorflow_formats(server, key):
    reply = post(server, json={key: FEATURES.tolist()})
    assert reply.status_code == 200, reply.text
    predictions = reply.json()["predictions"]
    scores = [row["scores"] for row in predictions] if key == "instances" else predictions["scores"]
    np.testing.assert_allclose(scores, SCORES, rtol=1e-5)


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b"{}",
        b'{"instances":[[1,2,3,4]],"inputs":[[1,2,3,4]]}',
        b'{"instances":[[1,2,3]]}',
        b'{"instances":[["a",2,3,4]]}',
        b'{"dataframe_split":{"columns":["a"],"data":[[1,2]]}}',
        b'{"dataframe_records":{}}',
    ],
)
def test_refusals(server, body):
    reply = post(server, data=body, headers={"Content-Type": "application/json"})
    assert reply.status_code == 400
    assert reply.json()["error_code"] == "BAD_REQUEST"
    assert reply.json()["message"]


def test_media_type_that_it_does_not_take(server):
    reply = post(server, data=b"x", headers={"Content-Type": "application/vnd.apache.parquet"})
    assert reply.status_code == 415
