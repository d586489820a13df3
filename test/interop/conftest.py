import pytest
from server import running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    settings = {"ALLOW_MODEL_UPLOAD": "1", "DEFAULT_MODEL": "classifier"}
    with running_server(tmp_path_factory.mktemp("inferd"), **settings) as server:
        yield server
