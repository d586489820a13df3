"""Arrays with the values that codecs lose: the ends of ranges, NaN, infinities, -0, and texts beyond ASCII."""

import numpy as np

NUMPY_TYPES = {
    "BOOL": np.bool_,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
    "BYTES": np.object_,
}
DATATYPES = list(NUMPY_TYPES)
TEXTS = ["", "plain", "Grüße", "日本語", "👩‍👩‍👧", 'quote " \\ line\nbreak\ttab']


def sample(datatype):
    """Six values of the type, as an array of shape [2, 3]."""
    kind = NUMPY_TYPES[datatype]
    if datatype == "BOOL":
        values = [True, False, False, True, True, False]
    elif datatype == "BYTES":
        values = [text.encode() for text in TEXTS]
    elif datatype.startswith("FP"):
        info = np.finfo(kind)
        values = [info.max, info.min, info.smallest_subnormal, -0.0, 0.1, 1 / 3]
    else:
        info = np.iinfo(kind)
        values = [info.min, info.max, info.max - 1, 0, 1, info.max // 3]
    return np.array(values, dtype=kind).reshape(2, 3)


def not_finite(datatype):
    return np.array([[np.nan, np.inf, -np.inf, 0.0]], dtype=NUMPY_TYPES[datatype])


def assert_same(actual, expected):
    """The same type, shape and bits; only the payload of a NaN is not looked at."""
    assert actual is not None
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    if expected.dtype == np.object_:
        assert [to_bytes(text) for text in actual.ravel()] == [to_bytes(text) for text in expected.ravel()]
        return
    np.testing.assert_array_equal(actual, expected)
    if expected.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(actual), np.signbit(expected))


def to_bytes(text):
    return text if isinstance(text, bytes) else text.encode()
