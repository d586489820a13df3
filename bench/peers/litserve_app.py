"""LitServe, batched: `python litserve_app.py PORT CORES`.

As many API servers and inference workers as there are cores, with the queue that LitServe calls fast. In
short trials (3 s, once each, on a busy machine) waiting 1 ms for a fuller batch was the quickest for mid, and 5 ms by a
twentieth for tiny; two inference workers were a little quicker than one.
"""

import sys

import litserve
import numpy as np

from peer_model import Model, model_paths


class OnnxApi(litserve.LitAPI):
    def __init__(self, path: str, api_path: str) -> None:
        super().__init__(max_batch_size=32, batch_timeout=0.001, api_path=api_path)
        self.path = path

    def setup(self, device: str) -> None:
        self.model = Model(self.path)

    def decode_request(self, request: dict) -> np.ndarray:
        return np.asarray(request[self.model.input_name], dtype=np.float32)

    def batch(self, inputs: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(inputs)

    def predict(self, batch: np.ndarray) -> list[np.ndarray]:
        return self.model.run(batch)

    def unbatch(self, outputs: list[np.ndarray]) -> list[dict]:
        columns = [output.tolist() for output in outputs]
        return [dict(zip(self.model.output_names, ([value] for value in row))) for row in zip(*columns)]

    def encode_response(self, output: dict) -> dict:
        return output


if __name__ == "__main__":
    port, cores = int(sys.argv[1]), int(sys.argv[2])
    apis = [OnnxApi(path, f"/{name}") for name, path in model_paths().items()]
    server = litserve.LitServer(apis, accelerator="cpu", workers_per_device=cores, fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=port,
        num_api_servers=cores,
        log_level="error",
        access_log=False,
        generate_client_file=False,
    )
