"""Graphs by all clients of tritonclient, and combinations against NumPy."""

import numpy as np
import pytest

# Rows of a request, of three columns; three members wait for one model at once.
CASES = 1_200
REQUESTS = 3
KINDS = {"fp16": np.float16, "fp32": np.float32, "fp64": np.float64}


def config_of(client, model):
    config = client.get_model_config(model)
    return config["config"] if client.is_grpc else config


def test_config_is_that_of_an_ensemble(client):
    config = config_of(client, "chain")
    assert config["platform"] == "ensemble"
    first, second = config["ensemble_scheduling"]["step"]
    assert (first["model_name"], str(first["model_version"])) == ("versions", "1")
    assert second["input_map"] == {"x": "first"} or second["input_map"] == {"x": "first.y"}
    assert second["output_map"] == {"y": "y"}


def test_metadata(client):
    metadata = client.get_model_metadata("chain")
    assert metadata["platform"] == "ensemble"
    assert [each["name"] for each in metadata["outputs"]] == ["first", "y"]


def test_infer_with_chosen_outputs(client):
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    answer = client.infer("chain", [client.input("x", x, "FP32")], outputs=[client.output("y")])
    np.testing.assert_array_equal(answer.as_numpy("y"), x + 3)
    assert answer.as_numpy("first") is None


def test_statistics_count_a_step_as_a_request_of_its_member(client):
    def count(model, version):
        stats = client.get_inference_statistics(model, version)["model_stats"][0]["inference_stats"]
        return int(stats["success"].get("count", 0))

    before = count("chain", "1"), count("versions", "1"), count("versions", "2")
    client.infer("chain", [client.input("x", np.ones((1, 2), np.float32), "FP32")])
    after = count("chain", "1"), count("versions", "1"), count("versions", "2")
    assert [b - a for a, b in zip(before, after)] == [1, 1, 1]


def odd_floats(kind, seed):
    """Numbers of every size, and those that are special."""
    random = np.random.default_rng(seed)
    info = np.finfo(kind)
    values = (random.standard_normal((CASES, 3)) * 10.0 ** random.integers(-4, 4, (CASES, 3))).astype(kind)
    special = np.array([np.nan, 0.0, -0.0, np.inf, -np.inf, info.smallest_subnormal, info.tiny, info.max, 1, -1], kind)
    chosen = random.random((CASES, 3)) < 0.3
    values[chosen] = random.choice(special, chosen.sum())
    return values


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("request_number", range(REQUESTS))
def test_combinations_of_floats_are_those_of_numpy(client, name, request_number):
    kind = KINDS[name]
    a, b, c = (odd_floats(kind, 3 * request_number + seed) for seed in (1, 2, 3))
    inputs = [client.input(each, array, name.upper()) for each, array in (("a", a), ("b", b), ("c", c))]
    answer = client.infer(f"combine_{name}", inputs)
    stacked = np.stack([a, b, c]).astype(np.float64)
    with np.errstate(all="ignore"):
        mean = ((2 * stacked[0] + stacked[1]) + stacked[2]) / 4
        there = ~np.isnan(stacked)
        total = np.where(there[0], stacked[0], 0) + np.where(there[1], stacked[1], 0) + np.where(there[2], stacked[2], 0)
        mean_skip = np.where(there.any(0), total / there.sum(0), np.nan)
        np.testing.assert_array_equal(answer.as_numpy("mean"), mean.astype(kind))
        np.testing.assert_array_equal(answer.as_numpy("mean_skip"), mean_skip.astype(kind))
    np.testing.assert_array_equal(answer.as_numpy("max"), np.maximum(np.maximum(a, b), c))
    np.testing.assert_array_equal(answer.as_numpy("min"), np.minimum(np.minimum(a, b), c))
    np.testing.assert_array_equal(answer.as_numpy("max_skip"), np.fmax(np.fmax(a, b), c))
    np.testing.assert_array_equal(answer.as_numpy("concat"), np.concatenate([a, b, c], axis=1))
    expected = [greatest(row) for row in answer.as_numpy("mean").tolist()]
    np.testing.assert_array_equal(answer.as_numpy("index"), expected)


def greatest(row):
    """The lowest place of the greatest; NaN comes last."""
    return max(range(len(row)), key=lambda place: (not np.isnan(row[place]), np.nan_to_num(row[place], nan=0, posinf=np.inf, neginf=-np.inf), -place))


def test_the_greater_zero_is_the_positive_one(client):
    a, b = np.array([[-0.0, 0.0]], np.float32), np.array([[0.0, -0.0]], np.float32)
    inputs = [client.input("a", a, "FP32"), client.input("b", b, "FP32"), client.input("c", a, "FP32")]
    answer = client.infer("combine_fp32", inputs)
    assert not np.signbit(answer.as_numpy("max")).any()
    assert np.signbit(answer.as_numpy("min")).all()


def test_combinations_of_integers_are_exact(client):
    random = np.random.default_rng(5)
    few = random.integers(0, 3, (3, CASES, 2))
    many = random.integers(np.iinfo(np.int64).min, np.iinfo(np.int64).max, (3, CASES, 2))
    a, b, c = np.where(random.random((3, CASES, 2)) < 0.5, few, many)
    inputs = [client.input(name, array, "INT64") for name, array in (("a", a), ("b", b), ("c", c))]
    answer = client.infer("combine_int64", inputs)
    # The weights are 3, 2 and 2: b and c win together only.
    np.testing.assert_array_equal(answer.as_numpy("vote"), np.where((b == c) & (a != b), b, a))
    np.testing.assert_array_equal(answer.as_numpy("max"), np.maximum(np.maximum(a, b), c))
    np.testing.assert_array_equal(answer.as_numpy("min"), np.minimum(np.minimum(a, b), c))


def test_texts_vote_and_are_joined(client):
    a = np.array([["x"], [""], ["é"]], dtype=object)
    b = np.array([["y"], ["z"], ["é"]], dtype=object)
    c = np.array([["y"], [""], ["w"]], dtype=object)
    inputs = [client.input(name, array, "BYTES") for name, array in (("a", a), ("b", b), ("c", c))]
    answer = client.infer("combine_bytes", inputs)
    assert [each.decode() for each in answer.as_numpy("vote").ravel()] == ["y", "", "é"]
    assert answer.as_numpy("concat").shape == (3, 3)
