"""Check every committed model against its fixture: `python training/check.py [--models models] [--fixtures test/fixtures]`."""

import json
import sys

import numpy as np
import onnxruntime

import iris
import sentiment_text
import titanic
from artifacts import arguments, open_session

TOLERANCE = 1e-5


def check_iris(session: onnxruntime.InferenceSession, cases: list[dict]) -> None:
    rows = np.array([[case["instance"][column] for column in iris.COLUMNS] for case in cases], np.float32)
    label, probabilities = session.run(["label", "probabilities"], {"features": rows})
    expected = [list(case["expected"]["probabilities"].values()) for case in cases]
    names = list(cases[0]["expected"]["probabilities"])
    np.testing.assert_allclose(probabilities, expected, atol=TOLERANCE)
    assert [names[i] for i in label] == [case["expected"]["species"] for case in cases]


def check_titanic(session: onnxruntime.InferenceSession, cases: list[dict]) -> None:
    inputs = titanic.to_inputs([case["instance"] for case in cases])
    survived, probability = session.run(["survived", "probability"], inputs)
    np.testing.assert_allclose(probability, [case["expected"]["probability"] for case in cases], atol=TOLERANCE)
    assert survived.tolist() == [case["expected"]["survived"] for case in cases]


def check_sentiment(session: onnxruntime.InferenceSession, cases: list[dict]) -> None:
    codes = [sentiment_text.to_codes(case["text"]) for case in cases]
    assert codes == [case["codes"] for case in cases]
    probability, label = session.run(["probability", "label"], {"codes": sentiment_text.pad(codes, 1024)})
    np.testing.assert_allclose(probability, [case["expected"]["probability"] for case in cases], atol=TOLERANCE)
    assert label.tolist() == [case["expected"]["label"] for case in cases]


CHECKS = {"iris": check_iris, "sentiment": check_sentiment, "titanic": check_titanic}


def main() -> None:
    args = arguments(__doc__, needs_data=False)
    failed = False
    for name, check in CHECKS.items():
        cases = json.loads((args.fixtures / f"{name}.json").read_text(encoding="utf-8"))["cases"]
        try:
            check(open_session(args.models / name / "1" / "model.onnx"), cases)
            print(f"{name}: {len(cases)} cases agree")
        except AssertionError as error:
            failed = True
            print(f"{name}: {error}", file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
