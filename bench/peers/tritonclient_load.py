"""Closed loop by tritonclient: `python tritonclient_load.py PROTOCOL HOST:PORT SECONDS WARMUP CONNECTIONS`.

PROTOCOL is http-binary, http-json or grpc. Sends pictures of 3 x 224 x 224 to the model `binary`, one a request, and
prints {"requestsPerSecond", "p50Ms", "p99Ms"} as JSON.
"""

import json
import sys
import threading
import time

import numpy as np
import tritonclient.grpc as grpc
import tritonclient.http as http


def client_of(protocol: str, address: str):
    """A call that sends one picture and waits for its answer. Every thread has its own connection."""
    module = grpc if protocol == "grpc" else http
    client = module.InferenceServerClient(address)
    rows = np.random.default_rng(3).random((4, 1, 3, 224, 224), dtype=np.float32)
    requests = []
    for row in rows:
        tensor = module.InferInput("image", list(row.shape), "FP32")
        if protocol == "http-json":
            tensor.set_data_from_numpy(row, binary_data=False)
        else:
            tensor.set_data_from_numpy(row)
        requests.append([tensor])
    outputs = [http.InferRequestedOutput("probabilities", binary_data=False)] if protocol == "http-json" else None

    def call(turn: int) -> None:
        result = client.infer("binary", requests[turn % len(requests)], outputs=outputs)
        assert result.as_numpy("probabilities").size == 10

    return call


def main() -> None:
    protocol, address = sys.argv[1:3]
    seconds, warmup, connections = float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
    start = time.perf_counter() + warmup
    latencies: list[float] = []

    def worker() -> None:
        call = client_of(protocol, address)
        turn = 0
        while (began := time.perf_counter()) < start + seconds:
            call(turn)
            turn += 1
            if began >= start:
                latencies.append(time.perf_counter() - began)

    threads = [threading.Thread(target=worker) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - start
    p50, p99 = np.quantile(latencies, [0.5, 0.99]) * 1000
    print(json.dumps({"requestsPerSecond": len(latencies) / took, "p50Ms": p50, "p99Ms": p99}))


if __name__ == "__main__":
    main()
