"""Train the iris model: four lengths of a flower to its species."""

import numpy as np
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score

from artifacts import arguments, build_model, open_session, save_model, write_fixture

# The classes are close to Gaussian with a common covariance, which is the case linear discriminants are made for.
GRAPH = """
<ir_version: 10, opset_import: ["" : 21]>
iris (float[batch, 4] features) => (int64[batch] label, float[batch, 3] probabilities)
{
    scores = Gemm <transB = 1> (features, coefficients, intercepts)
    probabilities = Softmax <axis = 1> (scores)
    label = ArgMax <axis = 1, keepdims = 0> (scores)
}
"""

COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
FIXTURE_ROWS = [0, 50, 70, 100, 106, 133, 149]


def main() -> None:
    args = arguments(__doc__, needs_data=False)
    iris = load_iris()
    rows, species = iris.data.astype(np.float32), iris.target
    names = [str(name) for name in iris.target_names]

    classifier = LinearDiscriminantAnalysis()
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    scores = cross_val_score(classifier, rows, species, cv=folds).reshape(10, 10).mean(axis=1)
    print(f"iris: accuracy {scores.mean():.4f}, 10-fold cross-validation, mean of 10 repeats "
          f"({scores.min():.4f} to {scores.max():.4f})")

    classifier.fit(rows, species)
    model = build_model(GRAPH, {
        "coefficients": classifier.coef_.astype(np.float32),
        "intercepts": classifier.intercept_.astype(np.float32),
    })
    path = save_model(
        args.models, "iris", model,
        description="The species of an iris flower from the lengths and widths of its sepals and petals in cm.",
        labels={"label": names, "probabilities": names},
        trained_on="Fisher's iris data (150 flowers), as bundled with scikit-learn",
        accuracy=scores.mean(),
        measured_on="stratified 10-fold cross-validation, mean of 10 repeats",
    )

    label, probabilities = open_session(path).run(None, {"features": rows})
    np.testing.assert_array_equal(label, classifier.predict(rows))
    np.testing.assert_allclose(probabilities, classifier.predict_proba(rows), atol=1e-4)
    print(f"iris: the graph agrees with scikit-learn on all {len(rows)} rows")

    cases = [
        {
            "instance": {column: round(float(value), 1) for column, value in zip(COLUMNS, rows[row])},
            "expected": {
                "species": names[label[row]],
                "probabilities": {name: float(p) for name, p in zip(names, probabilities[row])},
            },
        }
        for row in FIXTURE_ROWS
    ]
    write_fixture(args.fixtures, "iris", cases)


if __name__ == "__main__":
    main()
