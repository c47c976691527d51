"""Pictures of two or three handwritten digits, and what stands where in words."""

import itertools
from dataclasses import dataclass

import numpy as np

PICTURE_SIZE = 64
# The ink of a digit of MNIST fits into a square of so many pixels (LeCun et al. 1998).
DIGIT_SIZE = 20
# How far apart the digits of one row or column are, and how much they are out of line.
_NEAREST, _FARTHEST, _OUT_OF_LINE = 22, 36, 5
# So many times farther apart in one direction than in the other are digits that stand in line:
# neighbours are 4.4 times at least, the two ends of a triangle 2.5 times at most.
_IN_LINE = 3

_DIGITS = {
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    "ko": ["영", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"],
}
_PLACES = {
    "en": {"above": "above", "below": "below", "left": "left of", "right": "right of"},
    "ko": {"above": "위", "below": "아래", "left": "왼쪽", "right": "오른쪽"},
}
# Where the digit that is named first stands, seen from each of the others.
_RELATIONS = {("above",), ("left",), *itertools.product(("above", "below"), ("left", "right"))}


@dataclass(frozen=True, eq=False)
class Scenes:
    """Pictures with captions.

    Attributes:
        pictures: uint8 `(count, 64, 64, 1)`, 0 where there is no ink.
        captions: list of str.
        boxes: int32 `(count, 3, 2)`, the first row and column of the square of 20 pixels around
            each digit, in the order in which the caption names them; -1 where there are two.

    Example:

    >>> from kzoo.data import load_digits
    >>> scenes = render_scenes(load_digits(), "test", 2)
    >>> len(scenes), scenes.boxes.shape
    (2, (2, 3, 2))
    """

    pictures: np.ndarray
    captions: list[str]
    boxes: np.ndarray

    def __len__(self):
        """Returns the number of pictures."""
        return len(self.captions)


def list_languages():
    """The languages of captions, sorted.

    Example:

    >>> list_languages()
    ['en', 'ko']
    """
    return sorted(_DIGITS)


def digit_names(language):
    """The words for 0 to 9 in a language of captions.

    Args:
        language: one of `list_languages()`.

    Returns:
        List of ten str.

    Raises:
        ValueError: if the language is unknown.

    Example:

    >>> digit_names("ko")[:3]
    ['영', '일', '이']
    """
    if language not in _DIGITS:
        raise ValueError(
            f"language: expected one of {', '.join(list_languages())}, got {language!r}"
        )
    return list(_DIGITS[language])


def describe_scene(labels, boxes, language="en"):
    """Says in words which digits there are, and where: a function of the picture alone.

    Two digits stand side by side or one above the other; the left or the upper one is named first.
    Three stand in the corners of a triangle, one of them in the right angle: it is named first,
    then the one below or above it, and then the one beside it.

        en   A above B            A left of B            A above B and right of C
        ko   A는 B의 위에 있다    A는 B의 왼쪽에 있다    A는 B의 위와 C의 오른쪽에 있다

    Args:
        labels: list of two or three digits.
        boxes: list of `(row, column)`, where each digit begins.
        language: one of `list_languages()`.

    Returns:
        `(caption, order)`: the text, and the places of its digits in `labels`.

    Raises:
        ValueError: if the language is unknown, or the digits stand otherwise.

    Example:

    >>> describe_scene([2, 7, 3], [(4, 2), (36, 30), (5, 28)])
    ('three above seven and right of two', [2, 1, 0])
    >>> describe_scene([2, 3], [(4, 2), (5, 28)], "ko")
    ('이는 삼의 왼쪽에 있다', [0, 1])
    """
    names = digit_names(language)
    for order in itertools.permutations(range(len(labels))):
        first, *others = (boxes[place] for place in order)
        relations = tuple(_relation(first, other) for other in others)
        if relations in _RELATIONS:
            first, *others = (names[labels[place]] for place in order)
            places = [_PLACES[language][relation] for relation in relations]
            return _WRITERS[language](first, others, places), list(order)
    raise ValueError(
        "boxes: expected two digits in line, or three in a triangle with a right angle, got "
        f"{[tuple(map(int, box)) for box in boxes]}"
    )


def render_scenes(digits, part, count, language="en", seed=0):
    """Renders scenes of the digits of one part, half of them with two digits, half with three.

    Args:
        digits: `kzoo.data.Digits`.
        part: "train", "validation" or "test": no image of it is in a scene of another part.
        count: number of scenes.
        language: one of `list_languages()`.
        seed: integer, or a list of integers; the same one always renders the same scenes.

    Returns:
        `Scenes`.

    Raises:
        ValueError: if the part or the language is unknown, or `count` is not positive.

    Example:

    >>> from kzoo.data import load_digits
    >>> scenes = render_scenes(load_digits(), "train", 3, seed=8)
    >>> scenes.pictures.shape, scenes.captions[0]
    ((3, 64, 64, 1), 'seven above three and right of zero')
    """
    if part not in digits.parts:
        raise ValueError(f"part: expected one of {', '.join(digits.parts)}, got {part!r}")
    if count < 1:
        raise ValueError(f"count: expected a positive integer, got {count}")
    random = np.random.default_rng(seed)
    pictures = np.zeros((count, PICTURE_SIZE, PICTURE_SIZE, 1), "uint8")
    captions, all_boxes = [], np.full((count, 3, 2), -1, "int32")
    for picture, named in zip(pictures[..., 0], all_boxes, strict=True):
        boxes = _draw_boxes(random, 2 + random.integers(2))
        rows = random.choice(digits.parts[part], len(boxes))
        for row, (top, left) in zip(rows, boxes, strict=True):
            square = picture[top : top + DIGIT_SIZE, left : left + DIGIT_SIZE]
            np.maximum(square, _crop(digits.images[row]), out=square)
        caption, order = describe_scene(digits.labels[rows], boxes, language)
        captions.append(caption)
        named[: len(boxes)] = boxes[order]
    return Scenes(pictures, captions, all_boxes)


def _draw_boxes(random, count):
    """Draws where so many digits stand, int `(count, 2)`."""
    distances = random.integers(_NEAREST, _FARTHEST + 1, 2) * random.choice([-1, 1], 2)
    shifts = random.integers(-_OUT_OF_LINE, _OUT_OF_LINE + 1, 2)
    below, beside = (distances[0], shifts[0]), (shifts[1], distances[1])
    others = [below, beside] if count == 3 else [below if random.integers(2) else beside]
    boxes = np.array([(0, 0), *others])
    boxes -= boxes.min(axis=0)
    return boxes + random.integers(0, PICTURE_SIZE - DIGIT_SIZE - boxes.max(axis=0) + 1)


def _crop(image):
    """Cuts the square of 20 pixels around the ink out of an image."""
    starts = []
    for axis in (1, 0):
        (inked,) = np.nonzero(image.any(axis=axis))
        middle = (inked[0] + inked[-1] + 1) // 2
        starts.append(np.clip(middle - DIGIT_SIZE // 2, 0, len(image) - DIGIT_SIZE))
    top, left = starts
    return image[top : top + DIGIT_SIZE, left : left + DIGIT_SIZE]


def _relation(box, other):
    """Says where a box is, seen from another one; None where the two are not in line."""
    down, right = (int(there) - int(here) for here, there in zip(box, other, strict=True))
    if abs(down) >= _IN_LINE * abs(right):
        return "above" if down > 0 else "below"
    if abs(right) >= _IN_LINE * abs(down):
        return "left" if right > 0 else "right"
    return None


def _write_english(first, others, places):
    pairs = zip(places, others, strict=True)
    return f"{first} {' and '.join(f'{place} {other}' for place, other in pairs)}"


def _write_korean(first, others, places):
    # The particle follows the sound at the end of the word: a final consonant asks for -은.
    particle = "은" if (ord(first) - ord("가")) % 28 else "는"
    pairs = zip(others, places, strict=True)
    return f"{first}{particle} {'와 '.join(f'{other}의 {place}' for other, place in pairs)}에 있다"


_WRITERS = {"en": _write_english, "ko": _write_korean}
