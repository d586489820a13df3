"""What all peers share: which models to serve, and how a session is opened.

BENCH_MODELS is a JSON object: model name -> path of its ONNX file.
"""

import json
import os

import numpy as np
import onnxruntime


def model_paths() -> dict[str, str]:
    return json.loads(os.environ["BENCH_MODELS"])


class Model:
    """One session, and the names of its only input and its outputs."""

    def __init__(self, path: str, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # On few cores a spinning thread takes the time that the HTTP server needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.input_name = self.session.get_inputs()[0].name
        self.output_names = [output.name for output in self.session.get_outputs()]

    def run(self, batch: np.ndarray) -> list[np.ndarray]:
        return self.session.run(None, {self.input_name: batch})
