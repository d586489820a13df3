"""A picture of a digit → the 28x28 picture that the digits model takes.

The same steps in the same order of arithmetic as `src/domains/digits/grey-raster.ts` and `normalise-digit.ts` with what
they import, so that both give the same bytes; the reasons for each step are there. `digits_fixture.py` writes what
proves it.
"""

import math

import numpy as np

BOX_SIDE = 20
DIGIT_SIDE = 28
CENTRE = 14


def rounded(values: np.ndarray) -> np.ndarray:
    return np.floor(values + 0.5)


def to_grey(picture: np.ndarray) -> np.ndarray:
    """uint8 [height, width, 3 or 4] → uint8 [height, width]."""
    opaque = over_background(picture) if picture.shape[2] == 4 else picture
    best = luminance(opaque)
    best_contrast = contrast(best) * 2
    for channel in range(3):
        plane = opaque[:, :, channel]
        if contrast(plane) > best_contrast:
            best, best_contrast = plane, contrast(plane)
    return best


def over_background(picture: np.ndarray) -> np.ndarray:
    alpha = picture[:, :, 3].astype(np.int64)
    weights = np.bincount(luminance(picture).ravel(), alpha.ravel(), minlength=256)
    visible = int(alpha.sum())
    usual = int(np.argmax(np.cumsum(weights) * 2 >= visible))
    contrasting = 0 if usual > 127 else 255
    background = usual if visible * 2 > alpha.size * 255 else contrasting
    colours = picture[:, :, :3].astype(np.int64)
    alpha = alpha[:, :, None]
    return ((colours * alpha + background * (255 - alpha) + 127) // 255).astype(np.uint8)


def luminance(picture: np.ndarray) -> np.ndarray:
    red, green, blue = (picture[:, :, channel].astype(np.int64) for channel in range(3))
    return ((77 * red + 150 * green + 29 * blue + 128) >> 8).astype(np.uint8)


def contrast(plane: np.ndarray) -> int:
    values = plane.astype(np.int64)
    return values.size * int((values * values).sum()) - int(values.sum()) ** 2


def normalise_digit(grey: np.ndarray) -> np.ndarray:
    """uint8 [height, width], any size and polarity → uint8 [28, 28], ink 255 on paper 0."""
    strokes = keep_strokes(map_ink(grey))
    if not strokes.any():
        return np.zeros((DIGIT_SIDE, DIGIT_SIDE), np.uint8)
    rows, columns = np.flatnonzero(strokes.any(axis=1)), np.flatnonzero(strokes.any(axis=0))
    part = strokes[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float64)
    down, across = part.shape
    longest = max(part.shape)
    width = max(1, math.floor(across * BOX_SIDE / longest + 0.5))
    height = max(1, math.floor(down * BOX_SIDE / longest + 0.5))
    averaged = averaged_columns(averaged_columns(part, width).T, height).T
    return centred(inked(averaged))


def map_ink(grey: np.ndarray) -> np.ndarray:
    levels, noise = fit_background(grey)
    signed = grey.astype(np.int64) - levels
    polarity = 1 if (signed * np.abs(signed)).sum() >= 0 else -1
    difference = np.clip(polarity * signed, 0, 255)
    noise_level = math.floor(4 * noise)
    histogram = np.bincount(difference[difference > noise_level], minlength=256)
    full = high_level(histogram, otsu_threshold(histogram))
    if full < max(12, noise_level + 1):
        return np.zeros(grey.shape, np.uint8)
    stretched = rounded((difference - noise_level) * 255 / (full - noise_level))
    return np.clip(stretched, 0, 255).astype(np.uint8)


def fit_background(grey: np.ndarray) -> tuple[np.ndarray, float]:
    """The grey of the paper at each pixel, int64 [height, width], and the mean distance of the paper from it."""
    height, width = grey.shape
    band = max(1, min(height, width) // 20)
    frame = np.ones(grey.shape, bool)
    frame[band : height - band, band : width - band] = False
    y, x = np.indices(grey.shape)
    x, y, values = 2 * x - width + 1, 2 * y - height + 1, grey.astype(np.int64)

    kept = frame
    for _ in range(2):
        distance = np.abs(values - plane(x, y, values, kept))
        kept = frame & (distance <= 2 * (int(distance[frame].sum()) / int(frame.sum())) + 1)
    levels = plane(x, y, values, kept)
    return levels, int(np.abs(values - levels)[kept].sum()) / int(kept.sum())


def plane(x: np.ndarray, y: np.ndarray, values: np.ndarray, kept: np.ndarray) -> np.ndarray:
    kx, ky, kv, count = x[kept], y[kept], values[kept], float(kept.sum())

    def total(products: np.ndarray) -> float:
        return float(products.sum())

    x1, y1, v1 = total(kx), total(ky), total(kv)
    sxx = total(kx * kx) - x1 * x1 / count
    sxy = total(kx * ky) - x1 * y1 / count
    syy = total(ky * ky) - y1 * y1 / count
    sxv = total(kx * kv) - x1 * v1 / count
    syv = total(ky * kv) - y1 * v1 / count
    determinant = sxx * syy - sxy * sxy
    across = down = 0.0
    level = v1 / count
    if determinant > 1e-6 * sxx * syy:
        across = (sxv * syy - syv * sxy) / determinant
        down = (syv * sxx - sxv * sxy) / determinant
        level = (v1 - across * x1 - down * y1) / count
    return rounded(level + across * x + down * y).astype(np.int64)


def otsu_threshold(histogram: np.ndarray) -> int:
    count = float(histogram.sum())
    total = float((histogram * np.arange(256)).sum())
    threshold, most, below, total_below = 0, 0.0, 0.0, 0.0
    for level in range(256):
        below += float(histogram[level])
        total_below += float(histogram[level]) * level
        if below in (0.0, count):
            continue
        distance = total_below / below - (total - total_below) / (count - below)
        variance = below * (count - below) * distance * distance
        if variance > most:
            threshold, most = level, variance
    return threshold


def high_level(histogram: np.ndarray, threshold: int) -> int:
    above = int(histogram[threshold + 1 :].sum())
    reached = 0
    for level in range(255, threshold, -1):
        reached += int(histogram[level])
        if reached > 0 and reached * 10 >= above:
            return level
    return 0


def keep_strokes(ink: np.ndarray) -> np.ndarray:
    blots = find_blots(ink)
    inside = [blot for blot in blots if not touches_edge(blot, ink.shape)]
    heaviest = max((weight(blot, ink) for blot in blots), default=0)
    heaviest_inside = max((weight(blot, ink) for blot in inside), default=0)
    digit_is_inside = heaviest_inside > 0 and heaviest_inside >= heaviest * (1 / 4)
    candidates, reference = (inside, heaviest_inside) if digit_is_inside else (blots, heaviest)
    kept = np.zeros_like(ink)
    for blot in candidates:
        if weight(blot, ink) >= reference * (1 / 20):
            kept[blot] = ink[blot]
    return kept


Blot = tuple[np.ndarray, np.ndarray]


def find_blots(ink: np.ndarray) -> list[Blot]:
    """Rows and columns of the pixels of each part that hangs together, by eight neighbours."""
    unseen = np.pad(ink >= 32, 1)
    blots = []
    for start in zip(*np.nonzero(unseen), strict=True):
        if not unseen[start]:
            continue
        unseen[start] = False
        pixels = [start]
        for row, column in pixels:
            for down in (row - 1, row, row + 1):
                for across in (column - 1, column, column + 1):
                    if unseen[down, across]:
                        unseen[down, across] = False
                        pixels.append((down, across))
        rows, columns = np.array(pixels).T - 1
        blots.append((rows, columns))
    return blots


def weight(blot: Blot, ink: np.ndarray) -> int:
    return int(ink[blot].sum())


def touches_edge(blot: Blot, shape: tuple[int, ...]) -> bool:
    return any(edge.min() == 0 or edge.max() == side - 1 for edge, side in zip(blot, shape, strict=True))


def averaged_columns(source: np.ndarray, width: int) -> np.ndarray:
    """Area average along the columns: float64 [height, any] → [height, width]."""
    step = source.shape[1] / width
    result = np.zeros((source.shape[0], width))
    for column in range(width):
        start, end = column * step, min((column + 1) * step, source.shape[1])
        for from_ in range(math.floor(start), math.ceil(end)):
            result[:, column] += (min(from_ + 1, end) - max(from_, start)) * source[:, from_]
    return result / step


def inked(averaged: np.ndarray) -> np.ndarray:
    strokes = np.sort(averaged[averaged * 4 >= averaged.max()])
    full = strokes[len(strokes) * 3 // 4]
    return np.minimum(255, rounded(averaged * 255 / full)).astype(np.uint8)


def centred(digit: np.ndarray) -> np.ndarray:
    height, width = digit.shape
    mass = digit.astype(np.int64)
    total = int(mass.sum())
    x = int((mass * np.arange(width)).sum()) / total
    y = int((mass * np.arange(height)[:, None]).sum()) / total
    left = min(DIGIT_SIDE - width, max(0, math.floor(CENTRE - x + 0.5)))
    top = min(DIGIT_SIDE - height, max(0, math.floor(CENTRE - y + 0.5)))
    picture = np.zeros((DIGIT_SIDE, DIGIT_SIDE), np.uint8)
    picture[top : top + height, left : left + width] = digit
    return picture
