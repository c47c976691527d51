"""Rendered scenes: captions that are a function of the picture, and parts that share no image."""

import numpy as np
import pytest

from kzoo.data import describe_scene, load_digits, render_scenes

DIGITS = load_digits()
# Where the first box is, seen from the second one, by the words of the caption.
SIDES = {"above": (1, 0), "below": (-1, 0), "left of": (0, 1), "right of": (0, -1)}
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def in_words(labels, boxes):
    """The caption again, from the boxes in the order of the caption alone."""
    first, *others = boxes
    parts = []
    for label, box in zip(labels[1:], others, strict=True):
        offset = box - first
        axis = int(np.abs(offset).argmax())
        # Digits of a row or a column are much farther apart along it than across it.
        assert abs(offset[axis]) > 4 * abs(offset[1 - axis])
        side = tuple(int(np.sign(offset[a])) if a == axis else 0 for a in (0, 1))
        words = next(words for words, wanted in SIDES.items() if wanted == side)
        parts.append(f"{words} {NAMES[label]}")
    return f"{NAMES[labels[0]]} {' and '.join(parts)}"


def test_captions_say_what_stands_where():
    scenes = render_scenes(DIGITS, "train", 400, seed=3)
    counts = (scenes.boxes[:, :, 0] >= 0).sum(axis=1)
    assert 150 < (counts == 2).sum() < 250
    for caption, boxes, count in zip(scenes.captions, scenes.boxes, counts, strict=True):
        labels = [NAMES.index(word) for word in caption.split() if word in NAMES]
        assert len(labels) == count
        assert in_words(labels, boxes[:count]) == caption
    firsts = {caption.split(" ", 1)[1].split()[0] for caption in scenes.captions}
    assert firsts == {"above", "below", "left"}


def test_all_ink_lies_in_the_boxes_and_is_that_of_the_part():
    for part in ("train", "test"):
        scenes = render_scenes(DIGITS, part, 40, seed=1)
        squares = set()
        for image in DIGITS.images[DIGITS.parts[part]]:
            rows, columns = (np.nonzero(image.any(axis=axis))[0] for axis in (1, 0))
            ink = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            squares.add(ink.tobytes())
        for picture, boxes in zip(scenes.pictures[..., 0], scenes.boxes, strict=True):
            rest = picture.copy()
            for top, left in boxes[boxes[:, 0] >= 0]:
                square = picture[top : top + 20, left : left + 20]
                rows, columns = (np.nonzero(square.any(axis=axis))[0] for axis in (1, 0))
                ink = square[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
                assert ink.tobytes() in squares
                rest[top : top + 20, left : left + 20] = 0
            assert not rest.any()


def test_a_seed_renders_the_same_scenes_in_both_languages():
    english, korean, other = (
        render_scenes(DIGITS, "validation", 20, language, seed)
        for language, seed in (("en", 7), ("ko", 7), ("en", [7, 1]))
    )
    np.testing.assert_array_equal(english.pictures, korean.pictures)
    assert len(english) == 20
    assert (english.pictures != other.pictures).any()
    assert all(caption.endswith("에 있다") for caption in korean.captions)


@pytest.mark.parametrize(
    ("labels", "boxes", "english", "korean"),
    [
        ([3, 1], [(0, 5), (30, 2)], "three above one", "삼은 일의 위에 있다"),
        ([3, 1], [(30, 5), (0, 2)], "one above three", "일은 삼의 위에 있다"),
        (
            [2, 9, 9],
            [(22, 22), (0, 20), (25, 44)],
            "two below nine and left of nine",
            "이는 구의 아래와 구의 왼쪽에 있다",
        ),
    ],
)
def test_grammar(labels, boxes, english, korean):
    assert describe_scene(labels, boxes)[0] == english
    assert describe_scene(labels, boxes, "ko")[0] == korean


def test_what_is_wrong_is_named():
    with pytest.raises(ValueError, match="expected two digits in line, or three in a triangle"):
        describe_scene([1, 2], [(0, 0), (30, 30)])
    with pytest.raises(ValueError, match="language: expected one of en, ko, got 'fr'"):
        describe_scene([1, 2], [(0, 0), (30, 0)], "fr")
    with pytest.raises(ValueError, match="part: expected one of train, validation, test, got 'x'"):
        render_scenes(DIGITS, "x", 1)
    with pytest.raises(ValueError, match="count: expected a positive integer, got 0"):
        render_scenes(DIGITS, "train", 0)
