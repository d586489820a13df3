import pytest
from triton import TRANSPORTS, Triton


@pytest.fixture(params=TRANSPORTS)
def client(request, server):
    client = Triton(request.param, server)
    yield client
    client.close()
