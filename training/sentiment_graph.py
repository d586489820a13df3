"""The sentiment model as ONNX text: a text's n-grams and words are hashed to slots of one table of weights."""

import numpy as np
import onnx

from artifacts import build_model

# Both primes are below 2^31, so that a product of two hashes fits an int64.
MODULUS = 2_147_483_647
MULTIPLIER = 1_000_003_087
LONGEST_NGRAM = 5

# A row becomes ` text ` and zeros; `present` marks what is not padding. Every position after the text reads as a space,
# of which only the first is present, so the answer does not depend on how far a row is padded.
TEXT = """
    wide_codes = Cast <to = 7> (codes)
    margins = Constant <value_ints = [0, 1, 0, {longest}]> ()
    zero = Constant <value = int64 {{0}}> ()
    framed = Pad(wide_codes, margins, zero)
    is_zero = Equal(framed, zero)
    space = Constant <value = int64 {{32}}> ()
    text = Where(is_zero, space, framed)

    not_zero = Not(is_zero)
    one = Constant <value_ints = [1]> ()
    start = Constant <value_ints = [0]> ()
    end = Constant <value_ints = [9223372036854775807]> ()
    axis = Constant <value_ints = [1]> ()
    minus_one = Constant <value_ints = [-1]> ()
    from_first_code = Slice(not_zero, one, end, axis)
    follows_present = Cast <to = 7> (from_first_code)
    present_margins = Constant <value_ints = [0, 2, 0, 0]> ()
    one_scalar = Constant <value = int64 {{1}}> ()
    present_wide = Pad(follows_present, present_margins, one_scalar)
    present_numbers = Slice(present_wide, start, minus_one, axis)
    present = Cast <to = 9> (present_numbers)

    modulus = Constant <value = int64 {{{modulus}}}> ()
    multiplier = Constant <value = int64 {{{multiplier}}}> ()
    slots = Constant <value = int64 {{{slots}}}> ()
"""

# The hash of an n-gram is a polynomial in its code points; it grows from that of the n-gram one shorter.
NGRAM = """
    offset_{n} = Constant <value_ints = [{last}]> ()
    head_{n} = Slice(hash_{last}, start, minus_one, axis)
    tail_{n} = Slice(text, offset_{n}, end, axis)
    product_{n} = Mul(head_{n}, multiplier)
    sum_{n} = Add(product_{n}, tail_{n})
    hash_{n} = Mod(sum_{n}, modulus)
    present_{n} = Slice(present, offset_{n}, end, axis)
"""

# The hash of a word is the sum over its letters of the square (a sum of hashes alone would not tell anagrams apart) of
# the trigram around the letter. Word k of a row gathers at position k, which needs no loop over words.
WORDS = """
    is_space = Equal(text, space)
    starts = And(is_space, present)
    starts_number = Cast <to = 7> (starts)
    started = CumSum(starts_number, one_scalar)
    word_index_all = Sub(started, one_scalar)
    word_index = Slice(word_index_all, one, minus_one, axis)

    not_space = Not(is_space)
    letters_all = And(not_space, present)
    letters = Slice(letters_all, one, minus_one, axis)
    square = Mul(hash_3, hash_3)
    letter_hash_all = Mod(square, modulus)
    letter_hash = Where(letters, letter_hash_all, zero)
    no_words = Sub(letter_hash, letter_hash)
    word_sums = ScatterElements <axis = 1, reduction = "add"> (no_words, word_index, letter_hash)
    word_hash = Mod(word_sums, modulus)
    no_word = Equal(word_sums, zero)
    word_present = Not(no_word)

    first_word = Slice(word_hash, start, minus_one, axis)
    second_word = Slice(word_hash, one, end, axis)
    pair_product = Mul(first_word, multiplier)
    pair_sum = Add(pair_product, second_word)
    pair_hash = Mod(pair_sum, modulus)
    pair_present = Slice(word_present, one, end, axis)
"""

# A different offset for each kind of feature, so that equal hashes of two kinds do not share a slot.
FEATURE = """
    salt_{kind} = Constant <value = int64 {{{salt}}}> ()
    salted_{kind} = Add({hashes}, salt_{kind})
    slot_{kind} = Mod(salted_{kind}, slots)
"""

HEAD = """
    wide_weights = Gather(weights, feature_slots)
    all_weights = Cast <to = 1> (wide_weights)
    no_weight = Constant <value_float = 0.0> ()
    present_weights = Where(feature_present, all_weights, no_weight)
    total = ReduceSum <keepdims = 0> (present_weights, axis)
    feature_ones = Cast <to = 1> (feature_present)
    count = ReduceSum <keepdims = 0> (feature_ones, axis)
    root = Sqrt(count)
    evidence = Div(total, root)
    log_odds = Add(evidence, bias)
    probability = Sigmoid(log_odds)
    likely = Greater(log_odds, no_weight)
    label = Cast <to = 7> (likely)
"""

FEATURE_OUTPUTS = "int64[batch, features] feature_slots, bool[batch, features] feature_present"
MODEL_OUTPUTS = "float[batch] probability, int64[batch] label"


def features_model(slots: int) -> onnx.ModelProto:
    """The first half of the graph, which training uses too: code points to slots, and which of them count."""
    return build_model(graph_text(slots, FEATURE_OUTPUTS, head=""), {})


def sentiment_model(weights: np.ndarray, bias: float) -> onnx.ModelProto:
    """Code points to the probability of positive, by the weight of each slot."""
    text = graph_text(len(weights), MODEL_OUTPUTS, head=HEAD)
    return build_model(text, {"weights": weights, "bias": np.array(bias, np.float32)})


def graph_text(slots: int, outputs: str, head: str) -> str:
    hashes = {f"ngram_{n}": (f"hash_{n}", f"present_{n}") for n in range(1, LONGEST_NGRAM + 1)}
    hashes |= {"word": ("word_hash", "word_present"), "pair": ("pair_hash", "pair_present")}
    body = TEXT.format(longest=LONGEST_NGRAM, modulus=MODULUS, multiplier=MULTIPLIER, slots=slots)
    body += "    hash_1 = Identity(text)\n    present_1 = Identity(present)\n"
    body += "".join(NGRAM.format(n=n, last=n - 1) for n in range(2, LONGEST_NGRAM + 1))
    body += WORDS.format()
    body += "".join(
        FEATURE.format(kind=kind, hashes=name, salt=salt * 77_777_777)
        for salt, (kind, (name, _)) in enumerate(hashes.items())
    )
    body += f"    feature_slots = Concat <axis = 1> ({', '.join(f'slot_{kind}' for kind in hashes)})\n"
    body += f"    feature_present = Concat <axis = 1> ({', '.join(name for _, name in hashes.values())})\n"
    return (
        '<ir_version: 10, opset_import: ["" : 21]>\n'
        f"sentiment (int32[batch, length] codes) => ({outputs})\n{{{body}{head}}}"
    )
