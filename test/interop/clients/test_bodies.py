"""Requests that no client makes on purpose: the traps of HTTP, and bodies that are broken."""

import gzip
import json
import socket
import zlib

import numpy as np
import pytest
import requests

X = np.array([[1, 2]], np.float32)
TENSOR = {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}
JSON = json.dumps({"inputs": [TENSOR]}).encode()


@pytest.fixture(scope="module")
def url(server):
    return f"{server.url}/v2/models/identity_fp32/infer"


def tensor(**changes):
    return {key: value for key, value in (TENSOR | changes).items() if value is not None}


def binary(size=8, length=None, section=X.tobytes(), **changes):
    """Body and headers of a binary request; length is what the header claims."""
    header = json.dumps({"inputs": [tensor(data=None, parameters={"binary_data_size": size}, **changes)]}).encode()
    claimed = len(header) if length is None else length
    return {"data": header + section, "headers": {"Inference-Header-Content-Length": str(claimed)}}


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None]
)
def test_the_content_type_does_not_matter(url, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    reply = requests.post(url, data=JSON, headers=headers, timeout=10)
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json()["outputs"][0]["data"] == [1, 2]
    assert "id" not in reply.json()


@pytest.mark.parametrize("path", ["repository/index", "repository/models/on_demand/load"])
@pytest.mark.parametrize("head", ["", "Content-Length: 0\r\n", "Content-Type: application/octet-stream\r\n"])
def test_posts_without_a_body(server, path, head):
    host, port = server.address.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"POST /v2/{path} HTTP/1.1\r\nHost: x\r\n{head}Connection: close\r\n\r\n".encode())
        reply = b"".join(iter(lambda: connection.recv(65536), b""))
    assert reply.startswith(b"HTTP/1.1 200 ")


def test_chunked_body(url):
    reply = requests.post(url, data=iter([JSON[:10], JSON[10:]]), timeout=10)
    assert reply.json()["outputs"][0]["data"] == [1, 2]


def test_raw_binary_request(url):
    headers = {"Inference-Header-Content-Length": "0"}
    scalar_url = url.replace("identity_fp32", "scalar")
    reply = requests.post(scalar_url, data=X[0, :1].tobytes(), headers=headers, timeout=10)
    assert reply.status_code == 200, reply.text
    json_bytes = int(reply.headers["Inference-Header-Content-Length"])
    assert np.frombuffer(reply.content[json_bytes:], np.float32).tolist() == [1]


@pytest.mark.parametrize("name, encode", [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_requests(url, name, encode):
    request = binary()
    reply = requests.post(
        url, data=encode(request["data"]), headers=request["headers"] | {"Content-Encoding": name}, timeout=10
    )
    assert reply.json()["outputs"][0]["data"] == [1, 2]


def test_unknown_compression(url):
    reply = requests.post(url, data=JSON, headers={"Content-Encoding": "br"}, timeout=10)
    assert reply.status_code in (415, 501)
    assert "gzip" in reply.headers["Accept-Encoding"]
    assert "br" in error_of(reply)


def test_decompression_bomb(url):
    bomb = gzip.compress(bytes(200 * 2**20))
    reply = requests.post(url, data=bomb, headers={"Content-Encoding": "gzip"}, timeout=30)
    assert reply.status_code == 413
    assert error_of(reply)


BROKEN = {
    "empty": {"data": b""},
    "not JSON": {"data": b"{"},
    "not UTF-8": {"data": b'{"inputs":"\xff"}'},
    "no object": {"data": b"[]"},
    "no inputs": {"data": b"{}"},
    "inputs are no list": {"json": {"inputs": {}}},
    "an input is no object": {"json": {"inputs": [1]}},
    "no name": {"json": {"inputs": [tensor(name=None)]}},
    "no datatype": {"json": {"inputs": [tensor(datatype=None)]}},
    "no shape": {"json": {"inputs": [tensor(shape=None)]}},
    "no data": {"json": {"inputs": [tensor(data=None)]}},
    "negative shape": {"json": {"inputs": [tensor(shape=[-1, 2])]}},
    "fraction in the shape": {"json": {"inputs": [tensor(shape=[0.5, 4])]}},
    "shape beyond memory": {"json": {"inputs": [tensor(shape=[2**31 - 1, 2**31 - 1])]}},
    "too few elements": {"json": {"inputs": [tensor(data=[1])]}},
    "too many elements": {"json": {"inputs": [tensor(data=[1, 2, 3])]}},
    "nested otherwise": {"json": {"inputs": [tensor(data=[[1], [2]])]}},
    "an element of another kind": {"json": {"inputs": [tensor(data=[1, "2"])]}},
    "too great for the type": {"json": {"inputs": [tensor(data=[1, 1e39])]}},
    "outputs are no list": {"json": {"inputs": [TENSOR], "outputs": "y"}},
    "id is no text": {"json": {"inputs": [TENSOR], "id": 5}},
    "bad classification": {
        "json": {"inputs": [TENSOR], "outputs": [{"name": "y", "parameters": {"classification": 0}}]}
    },
    "deeply nested": {"data": b"[" * 100_000},
    "section too short": binary(section=b"1234"),
    "section too long": binary(section=bytes(9)),
    "size that is not that of the shape": binary(size=4, section=bytes(4)),
    "negative size": binary(size=-8),
    "size as a text": binary(size="8"),
    "header longer than the body": binary(length=10_000),
    "header that ends within the JSON": binary(length=20),
    "negative header": binary(length=-1),
    "header that is no number": binary(length="many"),
    "data and a section": {
        "json": {"inputs": [tensor(parameters={"binary_data_size": 8})]}
    },
    "not gzip": {"data": JSON, "headers": {"Content-Encoding": "gzip"}},
    "cut gzip": {"data": gzip.compress(JSON)[:-9], "headers": {"Content-Encoding": "gzip"}},
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_bodies(url, case):
    reply = requests.post(url, timeout=30, **BROKEN[case])
    assert reply.status_code == 400, reply.text
    assert error_of(reply)


@pytest.mark.parametrize(
    "datatype, value",
    [("UINT8", 256), ("UINT8", -1), ("INT8", 128), ("INT32", 1.5), ("INT64", 2**63), ("UINT64", -1), ("BOOL", 1)]
    + [("FP32", True), ("FP64", "1"), ("BYTES", 5), ("BYTES", None), ("INT16", None), ("BYTES", "a\0b")],
)
def test_nothing_is_coerced(url, datatype, value):
    body = {"inputs": [tensor(datatype=datatype, data=[[value, value]])]}
    reply = requests.post(url.replace("fp32", datatype.lower()), json=body, timeout=10)
    assert reply.status_code == 400, reply.text
    assert "x" in error_of(reply)


def test_wrong_paths_and_methods(server, url):
    for method, path, status in [
        ("GET", url, 405),
        ("POST", f"{server.url}/v2/health/live", 405),
        ("GET", f"{server.url}/v2/nothing", 404),
        ("GET", f"{server.url}/v2/models/add_sub/versions/x/ready", 404),
    ]:
        reply = requests.request(method, path, timeout=10)
        assert reply.status_code == status, path
        assert error_of(reply)


def error_of(reply):
    """The message, from a body that KServe's client takes: of the bare type application/json."""
    assert reply.headers["Content-Type"] == "application/json"
    assert isinstance(reply.json()["error"], str)
    return reply.json()["error"]
