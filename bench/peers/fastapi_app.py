"""FastAPI + uvicorn + onnxruntime: `uvicorn fastapi_app:app`.

The quickest form of such a server: the body is read by orjson without a schema, and the run happens on the event loop,
because a thread pool costs more than it gives while each worker process has one core.
"""

import numpy as np
import orjson
from fastapi import FastAPI, Request, Response

from peer_model import Model, model_paths

app = FastAPI(openapi_url=None)


def add_route(name: str, model: Model) -> None:
    @app.post(f"/{name}")
    async def predict(request: Request) -> Response:
        body = orjson.loads(await request.body())
        outputs = model.run(np.asarray(body[model.input_name], dtype=np.float32))
        reply = dict(zip(model.output_names, outputs))
        return Response(orjson.dumps(reply, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


for model_name, path in model_paths().items():
    add_route(model_name, Model(path))


@app.get("/ready")
async def ready() -> Response:
    return Response(b"")
