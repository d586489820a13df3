"""Runs the real program with a model repository, on free ports."""

import json
import os
import re
import socket
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from repository import write_repository

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    url: str
    grpc: str
    repository: Path
    pid: int

    @property
    def address(self):
        """Host and port."""
        return self.url.removeprefix("http://")


@contextmanager
def running_server(folder, **settings):
    """The server on the repository of these tests; settings are environment variables beside those that it needs."""
    repository = folder / "models"
    repository.mkdir()
    write_repository(repository)
    node = PROJECT / "node_modules" / ".bin" / "node"
    main = os.environ.get("INFERD_MAIN", PROJECT / "src" / "main.ts")
    grpc_port = free_port()
    settings |= {
        "HOST": "127.0.0.1",
        "PORT": "0",
        "GRPC_PORT": str(grpc_port),
        "MODELS_DIR": str(repository),
    }
    with open(folder / "inferd.log", "w+b") as log:
        process = subprocess.Popen(
            [node, main, "serve"], cwd=folder, env=os.environ | settings, stdout=subprocess.PIPE, stderr=log
        )
        try:
            url = read_address(process, log)
            # What it logs from now on must not fill the pipe.
            drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=log)
            process.stdout.close()
            yield Server(url, f"127.0.0.1:{grpc_port}", repository, process.pid)
            assert process.poll() is None, f"inferd ended by itself, see {log.name}"
        finally:
            process.terminate()
            process.wait(60)
    drain.wait(10)
    assert process.returncode == 0, f"inferd ended with {process.returncode}, see {log.name}"


def read_address(process, log):
    for line in process.stdout:
        log.write(line)
        found = re.match(r"inferd serves .* at (http://\S+)", json.loads(line)["msg"])
        if found:
            return found[1]
    log.seek(0)
    raise RuntimeError(f"inferd did not start:\n{log.read().decode()}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
