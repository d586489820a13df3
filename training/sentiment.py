"""Train the sentiment model: Korean or English text to the probability that it is positive."""

import gzip
from pathlib import Path

import numpy as np
import onnxruntime
import scipy.sparse as sp
from scipy.optimize import minimize
from scipy.special import expit

from artifacts import arguments, open_session, save_model, write_fixture
from sentiment_graph import features_model, sentiment_model
from sentiment_text import pad, to_codes

SLOTS = 2**20
# The best accuracy of 3, 8 and 20 on a tenth of the training texts, in both languages.
COST = 20.0
ITERATIONS = 100
BATCH_ROWS = 500

Examples = tuple[list[str], np.ndarray]

FIXTURE_TEXTS = [
    "최고의 영화! 정말 감동적이었어요.",
    "시간이 아깝다 진짜 재미없음",
    "재미없다",
    "A warm, funny and beautifully acted film.",
    "A WARM, FUNNY AND BEAUTIFULLY ACTED FILM.",
    "Dull, far too long, and a waste of money.",
    "이 영화 good, 그런데 ending은 so bad ㅠㅠ",
    "Loved it 😍👍🏽 best day ever 👨‍👩‍👧",
    "ＡＷＦＵＬ　ｍｏｖｉｅ！！　１０／１０　ｎｏｔ",
    "Cafe\u0301 scenes: e\u0301le\u0301gant, nai\u0308ve and touching",
    "\u110c\u1162\u1106\u1175\u110b\u1175\u11bb\u1103\u1161",  # 재미있다 in conjoining letters
    "İstanbul'da GÜZEL bir film, ΣΊΣΥΦΟΣ, Straße, ﬁne Ⅳ ㎏",
    "  white\u00a0space\t\r\n of\u3000every\u2003kind\ufeff  ",
    "control\u0000characters\u0007and\u0085next\u001fline",
    "ㅋㅋㅋㅋㅋㅋㅋㅋ ㅎㅎ ^^;;",
    "a",
    "?",
    "",
    "   ",
    "The first hour is slow. " * 20 + "In the end it is a wonderful, moving story and I would see it again. " * 10,
    "지루하고 뻔한 이야기 " * 30,
]


def main() -> None:
    args = arguments(__doc__)
    korean = read_nsmc(args.data / "nsmc" / "ratings_train.txt.gz")
    korean_test = read_nsmc(args.data / "nsmc" / "ratings_test.txt.gz")
    english, english_test = split_fifth(read_rt_polarity(args.data / "sentiment_en"), seed=0)
    products = read_labelled(args.data / "sentiment_en")
    texts, positive = join([korean, without(english, english_test[0]), without(products, english_test[0])])

    weights, bias = train(count_features(texts), positive)
    model = sentiment_model(weights.astype(np.float16), bias)

    # The score comes from the graph that is served, with its weights rounded to float16.
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    korean_accuracy = accuracy(session, korean_test)
    english_accuracy = accuracy(session, english_test)
    unseen_accuracy = accuracy(session, without(korean_test, korean[0]))
    print(f"sentiment: accuracy {korean_accuracy:.4f} on the {len(korean_test[0]):,} reviews of the NSMC test file "
          f"({unseen_accuracy:.4f} on those whose text is not in the training file too)")
    print(f"sentiment: accuracy {english_accuracy:.4f} on {len(english_test[0]):,} held-out sentences of rt-polarity")

    path = save_model(
        args.models, "sentiment", model,
        description="Whether a Korean or English text is positive or negative. Takes Unicode code points of the text "
                    "in NFKC and lower case with white space squeezed, zero-padded to any length.",
        labels={"label": ["negative", "positive"]},
        trained_on=f"{len(korean[0]):,} Korean film reviews (NSMC), and English sentences: four fifths of rt-polarity, "
                   "and reviews from Amazon, IMDb and Yelp (Kotzias et al., 2015)",
        accuracy=korean_accuracy,
        measured_on=f"NSMC test file, {len(korean_test[0]):,} Korean reviews; {english_accuracy:.4f} on a held-out "
                    f"fifth of rt-polarity, {len(english_test[0]):,} English sentences",
    )
    check_padding(path)
    write_fixture(args.fixtures, "sentiment", fixture_cases(path))


def read_lines(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        return [line.rstrip("\n") for line in file]


def read_nsmc(path: Path) -> Examples:
    rows = [line.split("\t") for line in read_lines(path)[1:]]
    return [document for _, document, _ in rows], np.array([int(label) for _, _, label in rows])


def read_rt_polarity(folder: Path) -> Examples:
    positive, negative = (read_lines(folder / f"rt-polarity.{name}.gz") for name in ("pos", "neg"))
    return positive + negative, np.array([1] * len(positive) + [0] * len(negative))


def read_labelled(folder: Path) -> Examples:
    """The sentences from Amazon, IMDb and Yelp. Lines end in LF only: one file has U+0085 inside sentences."""
    rows = [
        line.rsplit("\t", 1)
        for name in ("amazon_cells", "imdb", "yelp")
        for line in (folder / f"{name}_labelled.txt").read_bytes().decode("utf-8").split("\n")
        if line
    ]
    return [sentence for sentence, _ in rows], np.array([int(label) for _, label in rows])


def split_fifth(examples: Examples, seed: int) -> tuple[Examples, Examples]:
    """Four fifths to train on and one to test on."""
    order = np.random.default_rng(seed).permutation(len(examples[0]))
    test, training = np.split(order, [len(order) // 5])
    return select(examples, training), select(examples, test)


def select(examples: Examples, rows: np.ndarray) -> Examples:
    texts, positive = examples
    return [texts[row] for row in rows], positive[rows]


def without(examples: Examples, unwanted: list[str]) -> Examples:
    """The examples whose text is not, word for word, among the unwanted ones."""
    known = set(unwanted)
    return select(examples, np.array([row for row, text in enumerate(examples[0]) if text not in known]))


def join(parts: list[Examples]) -> Examples:
    return [text for texts, _ in parts for text in texts], np.concatenate([positive for _, positive in parts])


def batches(texts: list[str]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows and their padded codes, texts of like length together so that little is padding."""
    codes = [to_codes(text) for text in texts]
    order = np.argsort([len(text) for text in codes], kind="stable")
    groups = [order[first : first + BATCH_ROWS] for first in range(0, len(order), BATCH_ROWS)]
    return [(rows, pad([codes[row] for row in rows])) for rows in groups]


def count_features(texts: list[str]) -> sp.csr_matrix:
    """How often each slot occurs in each text, over the root of the number of its features, as the graph weighs them."""
    graph = features_model(SLOTS).SerializeToString()
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    rows, columns, values = [], [], []
    for batch_rows, codes in batches(texts):
        slots, present = session.run(None, {"codes": codes})
        row, position = np.nonzero(present)
        rows.append(batch_rows[row].astype(np.int32))
        columns.append(slots[row, position].astype(np.int32))
        values.append((1 / np.sqrt(present.sum(axis=1)))[row].astype(np.float32))
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sp.coo_matrix(entries, shape=(len(texts), SLOTS)).tocsr()


def train(features: sp.csr_matrix, positive: np.ndarray) -> tuple[np.ndarray, float]:
    """Logistic regression on features scaled by their naive Bayes log ratio (after Wang and Manning, 2012)."""
    occurs = features.copy()
    occurs.data = np.ones_like(occurs.data)
    in_positive = occurs.T @ positive.astype(np.float32) + 1
    in_negative = occurs.T @ (1 - positive).astype(np.float32) + 1
    ratio = np.abs(np.log((in_positive / in_positive.sum()) / (in_negative / in_negative.sum())))
    # A slot that only one text has says nothing about others.
    ratio[np.bincount(features.indices, minlength=SLOTS) < 2] = 0

    scaled = (features @ sp.diags(ratio.astype(np.float32))).tocsr()
    scaled.eliminate_zeros()
    columns = scaled.T.tocsr()
    sign = 2.0 * positive - 1

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = parameters[:-1], parameters[-1]
        margin = sign * (scaled @ weights.astype(np.float32) + bias)
        slope = -COST * sign * expit(-margin)
        value = COST * np.logaddexp(0, -margin).sum() + weights @ weights / 2
        return value, np.append(columns @ slope.astype(np.float32) + weights, slope.sum())

    options = {"maxiter": ITERATIONS, "maxcor": 6}
    solution = minimize(loss, np.zeros(SLOTS + 1), jac=True, method="L-BFGS-B", options=options).x
    return solution[:-1] * ratio, float(solution[-1])


def predict(session: onnxruntime.InferenceSession, texts: list[str]) -> np.ndarray:
    probability = np.empty(len(texts), np.float32)
    for rows, codes in batches(texts):
        (probability[rows],) = session.run(["probability"], {"codes": codes})
    return probability


def accuracy(session: onnxruntime.InferenceSession, examples: Examples) -> float:
    texts, positive = examples
    return float(((predict(session, texts) > 0.5) == positive).mean())


def check_padding(path: Path) -> None:
    """The same text must have the same probability however far it is padded, alone or in a batch."""
    session = open_session(path)
    codes = [to_codes(text) for text in FIXTURE_TEXTS]
    longest = max(map(len, codes))
    (together,) = session.run(["probability"], {"codes": pad(codes, longest + 1000)})
    assert np.isfinite(together).all()
    for text, expected in zip(codes, together):
        for length in (1, 64, 256, 1024):
            (alone,) = session.run(["probability"], {"codes": pad([text], length)})
            np.testing.assert_allclose(alone[0], expected, atol=1e-5)


def fixture_cases(model: Path) -> list[dict[str, object]]:
    session = open_session(model)
    cases = []
    for text in FIXTURE_TEXTS:
        codes = to_codes(text)
        probability, label = session.run(["probability", "label"], {"codes": pad([codes], 64)})
        cases.append({
            "text": text, "codes": codes, "expected": {"probability": float(probability[0]), "label": int(label[0])},
        })
    return cases


if __name__ == "__main__":
    main()
