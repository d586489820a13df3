"""Writes MLServer's folder: `python mlserver_settings.py FOLDER PORT`; then `mlserver start FOLDER`.

Inference runs in the server's own process: in three short rounds in turn a pool of one or two workers was not clearly
quicker (tiny and mid). Its batcher is on; for tiny that was a seventh quicker than off, tried once. uvloop stays at 0.21,
because with 0.23 the workers of MLServer 1.7.1 die at their start.
"""

import json
import shutil
import sys
from pathlib import Path

from peer_model import model_paths

MAX_BATCH = {"tiny": 32, "mid": 32, "heavy": 8, "binary": 0}


def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    server = {
        "debug": False,
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": port + 1,
        "metrics_port": port + 2,
        "metrics_endpoint": None,
        "metrics_dir": str(folder),
        "parallel_workers": 0,
        "gzip_enabled": False,
        "logging_settings": {"version": 1, "root": {"level": "ERROR"}},
    }
    (folder / "settings.json").write_text(json.dumps(server))
    for name, path in model_paths().items():
        model = {
            "name": name,
            "implementation": "mlserver_runtime.OnnxRuntime",
            "max_batch_size": MAX_BATCH[name],
            "max_batch_time": 0.005,
            "parameters": {"uri": path},
        }
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "model-settings.json").write_text(json.dumps(model))


if __name__ == "__main__":
    main()
