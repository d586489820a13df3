"""BentoML, batchable, its adaptive batcher on: `bentoml serve bentoml_service:Peer`.

Tensors go in and out as numpy arrays, the cheapest of its types. A reply holds the class probabilities alone.
"""

import os

import bentoml
import numpy as np

from peer_model import Model, model_paths


def batchable(name: str, path: str):
    model = Model(path)

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return model.run(np.asarray(rows, dtype=np.float32))[model.output_names.index("probabilities")]

    predict.__name__ = name
    return bentoml.api(predict, route=f"/{name}", batchable=True, max_batch_size=32, max_latency_ms=1000)


class Peer:
    """One API for each model."""


for model_name, model_path in model_paths().items():
    setattr(Peer, model_name, batchable(model_name, model_path))

Peer = bentoml.service(
    Peer,
    workers=int(os.environ["BENCH_CORES"]),
    traffic={"timeout": 60},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
