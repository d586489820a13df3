"""Health, metadata, configuration, repository and statistics, by all clients of tritonclient."""

import json

import numpy as np
import pytest
from repository import identity_name, remove, write_broken
from tensors import DATATYPES
from tritonclient.utils import InferenceServerException


def test_health(client):
    assert client.is_server_live() is True
    assert client.is_server_ready() is True
    assert client.is_model_ready("add_sub") is True
    assert client.is_model_ready("add_sub", "1") is True


def test_unknown_models_are_not_ready(client):
    assert client.is_model_ready("nobody") is False
    assert client.is_model_ready("add_sub", "9") is False


def test_server_metadata(client):
    metadata = client.get_server_metadata()
    assert metadata["name"] == "inferd"
    assert metadata["version"]
    extensions = {"classification", "model_configuration", "model_repository", "parameters", "schedule_policy", "statistics"}
    assert extensions <= set(metadata["extensions"])
    assert client.is_grpc or "binary_tensor_data" in metadata["extensions"]


@pytest.mark.parametrize("datatype", DATATYPES)
def test_model_metadata(client, datatype):
    metadata = client.get_model_metadata(identity_name(datatype))
    assert metadata["name"] == identity_name(datatype)
    assert metadata["versions"] == ["1"]
    assert metadata["platform"]
    assert [tensor(each) for each in metadata["inputs"]] == [("x", datatype, [-1, -1])]
    assert [tensor(each) for each in metadata["outputs"]] == [("y", datatype, [-1, -1])]


def tensor(metadata):
    return metadata["name"], metadata["datatype"], [int(dimension) for dimension in metadata.get("shape", [])]


def test_metadata_of_several_tensors_and_versions(client):
    metadata = client.get_model_metadata("add_sub", "1")
    assert [tensor(each) for each in metadata["inputs"]] == [
        ("INPUT0", "INT32", [-1, 16]),
        ("INPUT1", "INT32", [-1, 16]),
    ]
    assert [each["name"] for each in metadata["outputs"]] == ["OUTPUT0", "OUTPUT1"]
    assert sorted(client.get_model_metadata("versions")["versions"]) == ["1", "2"]


def test_model_config(client):
    config = client.get_model_config("add_sub")
    config = config["config"] if client.is_grpc else config
    assert config["name"] == "add_sub"
    assert [each["name"] for each in config["input"]] == ["INPUT0", "INPUT1"]
    assert [each["data_type"] for each in config["input"]] == ["TYPE_INT32", "TYPE_INT32"]
    assert [each["name"] for each in config["output"]] == ["OUTPUT0", "OUTPUT1"]
    # A batchable model leaves the dimension of the batch out of its configuration.
    assert config["max_batch_size"] > 0
    assert [[int(size) for size in each["dims"]] for each in config["input"]] == [[16], [16]]


def index_of(client):
    index = client.get_model_repository_index()
    return index["models"] if client.is_grpc else index


def test_index(client):
    index = index_of(client)
    states = {(each["name"], each.get("version")): each.get("state") for each in index}
    assert states["add_sub", "1"] == "READY"
    assert states["versions", "1"] == "READY"
    assert states["versions", "2"] == "READY"


def test_unload_and_load(client):
    client.unload_model("on_demand")
    assert client.is_model_ready("on_demand") is False
    [entry] = [each for each in index_of(client) if each["name"] == "on_demand"]
    assert (entry["state"], entry["reason"]) == ("UNAVAILABLE", "unloaded")
    with pytest.raises(InferenceServerException):
        client.infer("on_demand", [client.input("x", np.ones((1, 1), np.float32), "FP32")])

    client.load_model("on_demand")
    assert client.is_model_ready("on_demand") is True
    result = client.infer("on_demand", [client.input("x", np.ones((1, 1), np.float32), "FP32")])
    assert result.as_numpy("y").tolist() == [[11]]


def test_reload_of_a_loaded_model(client):
    client.load_model("on_demand")
    assert client.is_model_ready("on_demand")


def test_load_with_files_of_its_own(client, server):
    content = (server.repository / "add_sub" / "1" / "model.onnx").read_bytes()
    name = f"uploaded_{client.transport.replace('.', '_')}"
    client.load_model(name, config=json.dumps({"description": "sums"}), files={"file:1/model.onnx": content})
    try:
        assert client.is_model_ready(name)
    finally:
        client.unload_model(name)


def test_load_of_an_unknown_model(client):
    with pytest.raises(InferenceServerException, match="nobody"):
        client.load_model("nobody")


def test_unload_of_an_unknown_model_is_no_error(client):
    client.unload_model("nobody")


def test_load_of_a_broken_model(client, server):
    name = f"broken_{client.transport.replace('.', '_')}"
    write_broken(server.repository, name)
    try:
        with pytest.raises(InferenceServerException, match="(?i)protobuf|load"):
            client.load_model(name)
        [entry] = [each for each in index_of(client) if each["name"] == name]
        assert entry["state"] == "UNAVAILABLE"
        assert "protobuf" in entry["reason"].lower()
        with pytest.raises(InferenceServerException):
            client.infer(name, [client.input("x", np.ones((1, 1), np.float32), "FP32")])
    finally:
        client.unload_model(name)
        remove(server.repository, name)
    assert client.is_server_ready()


def test_statistics(client):
    client.infer("versions", [client.input("x", np.ones((1, 1), np.float32), "FP32")], "2")
    before = statistics_of(client, "versions", "2")
    client.infer("versions", [client.input("x", np.ones((3, 1), np.float32), "FP32")], "2")
    with pytest.raises(InferenceServerException):
        client.infer("versions", [client.input("x", np.ones((3, 1), np.int32), "INT32")], "2")
    after = statistics_of(client, "versions", "2")

    assert int(after["inference_count"]) - int(before["inference_count"]) == 3
    assert int(after["execution_count"]) - int(before["execution_count"]) == 1
    assert count(after, "success") - count(before, "success") == 1
    assert count(after, "fail") - count(before, "fail") == 1
    assert int(after["last_inference"]) > 1_700_000_000_000
    for duration in ("success", "queue", "compute_input", "compute_infer", "compute_output"):
        assert int(after["inference_stats"][duration]["ns"]) >= 0
    assert int(after["inference_stats"]["compute_infer"]["ns"]) > 0
    sizes = [int(batch["batch_size"]) for batch in after["batch_stats"]]
    assert 3 in sizes


def statistics_of(client, name, version):
    [stats] = client.get_inference_statistics(name, version)["model_stats"]
    assert (stats["name"], stats["version"]) == (name, version)
    return stats


def count(stats, duration):
    return int(stats["inference_stats"][duration].get("count", 0))


def test_statistics_of_every_model(client):
    names = {each["name"] for each in client.get_inference_statistics()["model_stats"]}
    assert {"add_sub", "classifier", "versions"} <= names
