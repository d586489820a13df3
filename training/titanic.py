"""Train the titanic model: a passenger's ticket and family to the probability of survival."""

from pathlib import Path

import numpy as np
import onnx
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from artifacts import arguments, build_model, open_session, save_model, write_fixture

TYPES = {
    "pclass": np.int64, "sex": object, "age": np.float32, "sibsp": np.int64, "parch": np.int64,
    "fare": np.float32, "embarked": object,
}
NUMBERS = ["pclass", "age", "sibsp", "parch", "fare"]
SEXES = ["female", "male"]
PORTS = ["C", "Q", "S"]

# Each column is an input of its own, so that no client can get their order wrong. A missing value, or a word that is
# not in the table, counts as the column's median or most frequent value, as in the pipeline.
GRAPH = """
<ir_version: 10, opset_import: ["" : 21, "ai.onnx.ml" : 3]>
titanic (
    int64[batch] pclass, string[batch] sex, float[batch] age, int64[batch] sibsp, int64[batch] parch,
    float[batch] fare, string[batch] embarked
) => (int64[batch] survived, float[batch] probability)
{
    pclass_number = Cast <to = 1> (pclass)
    sibsp_number = Cast <to = 1> (sibsp)
    parch_number = Cast <to = 1> (parch)
    age_missing = IsNaN(age)
    age_number = Where(age_missing, age_median, age)
    fare_missing = IsNaN(fare)
    fare_number = Where(fare_missing, fare_median, fare)
    sex_number = ai.onnx.ml.LabelEncoder <
        keys_strings = ["female", "male"], values_floats = [0.0, 1.0], default_float = %(sex)s
    > (sex)
    embarked_number = ai.onnx.ml.LabelEncoder <
        keys_strings = ["C", "Q", "S"], values_floats = [0.0, 1.0, 2.0], default_float = %(embarked)s
    > (embarked)

    last_axis = Constant <value_ints = [-1]> ()
    pclass_column = Unsqueeze(pclass_number, last_axis)
    age_column = Unsqueeze(age_number, last_axis)
    sibsp_column = Unsqueeze(sibsp_number, last_axis)
    parch_column = Unsqueeze(parch_number, last_axis)
    fare_column = Unsqueeze(fare_number, last_axis)
    sex_column = Unsqueeze(sex_number, last_axis)
    embarked_column = Unsqueeze(embarked_number, last_axis)
    columns = Concat <axis = 1> (
        pclass_column, age_column, sibsp_column, parch_column, fare_column, sex_column, embarked_column
    )

    log_odds_column = ai.onnx.ml.TreeEnsembleRegressor(columns)
    log_odds = Squeeze(log_odds_column, last_axis)
    probability = Sigmoid(log_odds)
    zero = Constant <value_float = 0.0> ()
    likely = Greater(log_odds, zero)
    survived = Cast <to = 7> (likely)
}
"""

FIXTURE_ROWS = [0, 1, 5, 7, 25, 61, 305, 829]


def read_passengers(data: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """The passengers in the model's own columns (missing: NaN, or "" for a word), and who survived."""
    table = pd.read_csv(data / "titanic" / "titanic.csv")
    survived = table["Survived"].to_numpy()
    table = table.rename(columns=str.lower)[list(TYPES)]
    table = table.fillna({"embarked": ""})
    return table.astype(TYPES), survived


def make_classifier() -> Pipeline:
    """Everything that is learned from data is in here, so cross-validation fits it anew in each fold."""
    columns = ColumnTransformer([
        ("numbers", SimpleImputer(strategy="median"), NUMBERS),
        ("sex", make_pipeline(most_frequent(), OrdinalEncoder(categories=[SEXES])), ["sex"]),
        ("embarked", make_pipeline(most_frequent(), OrdinalEncoder(categories=[PORTS])), ["embarked"]),
    ])
    trees = GradientBoostingClassifier(
        n_estimators=150, learning_rate=0.05, max_depth=3, subsample=0.7, random_state=0
    )
    return Pipeline([("columns", columns), ("trees", trees)])


def most_frequent() -> SimpleImputer:
    return SimpleImputer(strategy="most_frequent", missing_values="")


def to_onnx(classifier: Pipeline) -> onnx.ModelProto:
    columns, trees = classifier["columns"], classifier["trees"]
    medians = dict(zip(NUMBERS, columns.named_transformers_["numbers"].statistics_))
    defaults = {
        name: float(words.index(columns.named_transformers_[name][0].statistics_[0]))
        for name, words in {"sex": SEXES, "embarked": PORTS}.items()
    }
    model = build_model(GRAPH % defaults, {
        "age_median": np.array(medians["age"], np.float32),
        "fare_median": np.array(medians["fare"], np.float32),
    })
    (node,) = (node for node in model.graph.node if node.op_type == "TreeEnsembleRegressor")
    for name, value in tree_attributes(trees).items():
        node.attribute.append(onnx.helper.make_attribute(name, value))
    return model


def tree_attributes(trees: GradientBoostingClassifier) -> dict[str, object]:
    """The fitted trees in the flat lists of ONNX's TreeEnsembleRegressor, which sums them to log-odds."""
    prior = trees.init_.class_prior_
    ids, nodes, features, thresholds, modes, left, right = [], [], [], [], [], [], []
    target_trees, target_nodes, target_weights = [], [], []
    for tree_id, tree in enumerate(regressor.tree_ for regressor in trees.estimators_[:, 0]):
        for node in range(tree.node_count):
            leaf = tree.children_left[node] == -1
            ids.append(tree_id)
            nodes.append(node)
            features.append(0 if leaf else int(tree.feature[node]))
            thresholds.append(0.0 if leaf else float(round_down(tree.threshold[node])))
            modes.append("LEAF" if leaf else "BRANCH_LEQ")
            left.append(0 if leaf else int(tree.children_left[node]))
            right.append(0 if leaf else int(tree.children_right[node]))
            if leaf:
                target_trees.append(tree_id)
                target_nodes.append(node)
                target_weights.append(float(trees.learning_rate * tree.value[node, 0, 0]))
    return {
        "n_targets": 1, "aggregate_function": "SUM", "post_transform": "NONE",
        "base_values": [float(np.log(prior[1] / prior[0]))],
        "nodes_treeids": ids, "nodes_nodeids": nodes, "nodes_featureids": features, "nodes_values": thresholds,
        "nodes_modes": modes, "nodes_truenodeids": left, "nodes_falsenodeids": right,
        "target_treeids": target_trees, "target_nodeids": target_nodes,
        "target_ids": [0] * len(target_nodes), "target_weights": target_weights,
    }


def round_down(threshold: float) -> np.float32:
    """The largest float32 not above a threshold: for a float32 x, `x <= threshold` then means the same in both."""
    rounded = np.float32(threshold)
    return rounded if rounded <= threshold else np.nextafter(rounded, np.float32(-np.inf))


def main() -> None:
    args = arguments(__doc__)
    passengers, survived = read_passengers(args.data)

    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    scores = cross_val_score(make_classifier(), passengers, survived, cv=folds).reshape(10, 10).mean(axis=1)
    print(f"titanic: accuracy {scores.mean():.4f}, 10-fold cross-validation, mean of 10 repeats "
          f"({scores.min():.4f} to {scores.max():.4f})")

    classifier = make_classifier().fit(passengers, survived)
    path = save_model(
        args.models, "titanic", to_onnx(classifier),
        description="Whether a passenger of the Titanic would have survived. Age (years), fare (pounds) and port may "
                    "be missing: NaN, NaN and the empty string.",
        labels={"survived": ["died", "survived"]},
        trained_on="891 passengers of the Titanic (Kaggle's train.csv)",
        accuracy=scores.mean(),
        measured_on="stratified 10-fold cross-validation, mean of 10 repeats",
    )

    inputs = {name: passengers[name].to_numpy(dtype=dtype) for name, dtype in TYPES.items()}
    label, probability = open_session(path).run(None, inputs)
    np.testing.assert_array_equal(label, classifier.predict(passengers))
    np.testing.assert_allclose(probability, classifier.predict_proba(passengers)[:, 1], atol=1e-5)
    print(f"titanic: the graph agrees with scikit-learn on all {len(label)} rows")

    cases = fixture_passengers(passengers)
    label, probability = open_session(path).run(None, to_inputs(cases))
    write_fixture(args.fixtures, "titanic", [
        {"instance": case, "expected": {"survived": int(label[i]), "probability": float(probability[i])}}
        for i, case in enumerate(cases)
    ])


def fixture_passengers(passengers: pd.DataFrame) -> list[dict[str, object]]:
    """Passengers as a client sends them, missing values as null: some of the data's, and one known by class and sex."""
    rows = passengers.iloc[FIXTURE_ROWS].to_dict("records")
    cases = [
        {name: None if value == "" or value != value else value for name, value in row.items()} for row in rows
    ]
    cases = [
        {name: round(value, 4) if isinstance(value, float) else value for name, value in case.items()}
        for case in cases
    ]
    unknown = {"sibsp": 0, "parch": 0, "age": None, "fare": None, "embarked": None}
    return cases + [{"pclass": pclass, "sex": sex} | unknown for pclass in (1, 3) for sex in SEXES]


def to_inputs(cases: list[dict[str, object]]) -> dict[str, np.ndarray]:
    """The model's inputs for passengers as a client sends them."""
    return {name: np.array([to_element(case[name], dtype) for case in cases], dtype) for name, dtype in TYPES.items()}


def to_element(value: object, dtype: type) -> object:
    if value is not None:
        return value
    return "" if dtype is object else np.nan


if __name__ == "__main__":
    main()
