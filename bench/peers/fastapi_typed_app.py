"""FastAPI as one writes it by hand for a model: `uvicorn fastapi_typed_app:app`.

Typed fields with bounds in, a typed answer out, both by pydantic: the work that inferd does on its typed route.
"""

import numpy as np
from fastapi import FastAPI, Response
from pydantic import BaseModel, ConfigDict, Field

from peer_model import Model, model_paths

SPECIES = ["setosa", "versicolor", "virginica"]


class Flower(BaseModel):
    model_config = ConfigDict(extra="forbid")
    sepal_length: float = Field(gt=0, le=100)
    sepal_width: float = Field(gt=0, le=100)
    petal_length: float = Field(gt=0, le=100)
    petal_width: float = Field(gt=0, le=100)


class Classification(BaseModel):
    species: str
    probabilities: dict[str, float]


app = FastAPI()
model = Model(model_paths()["tiny"])


@app.post("/iris/predict")
async def predict(flower: Flower) -> Classification:
    row = [flower.sepal_length, flower.sepal_width, flower.petal_length, flower.petal_width]
    labels, probabilities = model.run(np.asarray([row], dtype=np.float32))
    return Classification(
        species=SPECIES[int(labels[0])], probabilities=dict(zip(SPECIES, probabilities[0].tolist(), strict=True))
    )


@app.get("/ready")
async def ready() -> Response:
    return Response(b"")
