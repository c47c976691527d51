"""Strings of digits, composed of real single ones: lines to read, and recordings to listen to."""

import numpy as np

# Ink that counts, of 255.
_INK = 32
# Rows of a line: an image has 28.
HEIGHT = 32
# A silence is not digital zero.
_DITHER = 1e-4


class DigitStrings:
    """Base of strings of 1 to `max_length` digits of one part of a set, written or spoken.

    `draw(row, epoch)` gives a string and its digits. Subclasses implement `compose(rows, random)`,
    which puts together the digits in these rows of the set.

    A string depends on `seed`, its row and the epoch alone. All lengths are equally frequent: those
    of training are up to two digits in the first epoch, and to one more in each one after it, for
    what is short is learnt first, and for little.

    Args:
        digits: `Digits` or `SpokenDigits`.
        part: "train", "validation" or "test": no digit of another part is used.
        count: number of strings.
        max_length: most digits of a string.
        seed: integer.
        vary: whether strings are those of training: digits are varied, and strings grow.

    Raises:
        ValueError: if the set has no such part.

    Example:

    >>> import kzoo
    >>> strings = DigitStrings(kzoo.data.load_digits(), "train", 100, max_length=3)
    >>> len(strings), sorted(set(strings.lengths().tolist()))
    (100, [1, 2, 3])
    """

    def __init__(self, digits, part, count, max_length=8, seed=0, vary=False):
        if part not in digits.parts:
            raise ValueError(f"part: expected one of {', '.join(digits.parts)}, got {part!r}")
        self.digits = digits
        self.rows = digits.parts[part]
        self.count = count
        self.max_length = max_length
        self.seed = seed
        self.vary = vary

    def __len__(self):
        """Returns the number of strings."""
        return self.count

    def lengths(self, epoch=0):
        """Returns the number of digits of each string, int `(count,)`."""
        longest = min(self.max_length, 2 + epoch) if self.vary else self.max_length
        return np.random.default_rng([self.seed, epoch]).integers(1, longest + 1, self.count)

    def draw(self, row, epoch=0):
        """Returns the string with this number, and its digits, int32 `(length,)`."""
        random = np.random.default_rng([self.seed, epoch, row])
        length = self.lengths(epoch)[row]
        chosen = random.choice(self.pool(random), length)
        return self.compose(chosen, random), self.digits.labels[chosen]

    def pool(self, random):
        """Returns the rows of the digits that a string is drawn from."""
        return self.rows


class DigitLines(DigitStrings):
    """Lines of handwritten digits, as pictures of ink, float32 `(32, width)` from 0 to 1.

    The digits of an image set stand side by side, each cut to its ink, with 2 to 8 columns between
    them and 3 to 12 at both ends, and each up to 4 rows higher or lower than its neighbour. With
    `vary`, they are slanted, narrowed, widened and shifted by the fraction of a column, too. The
    arguments are those of `DigitStrings`.

    Example:

    >>> import kzoo
    >>> lines = DigitLines(kzoo.data.load_digits(), "test", 100)
    >>> picture, digits = lines.draw(0)
    >>> picture.shape[0], len(digits) == int(lines.lengths()[0])
    (32, True)
    """

    def compose(self, rows, random):
        """Returns the picture of the digits in these rows of the set."""
        pieces = [np.zeros((HEIGHT, random.integers(3, 13)), "float32")]
        for row in rows:
            image = self.digits.images[row]
            ink = np.flatnonzero((image > _INK).any(axis=0))
            image = image[:, ink[0] : ink[-1] + 1] if len(ink) else image
            image = image.astype("float32") / 255
            if self.vary:
                image = _slant(image, random)
            top = random.integers(0, HEIGHT - len(image) + 1)
            pieces.append(np.pad(image, [[top, HEIGHT - len(image) - top], [0, 0]]))
            pieces.append(np.zeros((HEIGHT, random.integers(2, 9)), "float32"))
        pieces[-1] = np.zeros((HEIGHT, random.integers(3, 13)), "float32")
        return np.concatenate(pieces, axis=1)


def _slant(image, random):
    """Shears and stretches an image: every row is read at other columns, between two of them."""
    height = len(image)
    slant, stretch = random.uniform(-0.25, 0.25), random.uniform(0.8, 1.25)
    margin = int(np.ceil(abs(slant) * height / 2)) + 1
    image = np.pad(image, [[0, 0], [margin, margin]])
    wide = round(stretch * image.shape[1])
    columns = (np.arange(wide) + random.uniform(0, 1)) / stretch
    columns = columns + slant * (np.arange(height)[:, None] - height / 2)
    columns = np.clip(columns, 0, image.shape[1] - 1.001)
    left = columns.astype(int)
    share = columns - left
    rows = np.arange(height)[:, None]
    image = (1 - share) * image[rows, left] + share * image[rows, left + 1]
    ink = np.flatnonzero((image > _INK / 255).any(axis=0))
    return (image[:, ink[0] : ink[-1] + 1] if len(ink) else image).astype("float32")


class SpokenStrings(DigitStrings):
    """Strings of digits by one speaker each, as samples, float32 `(time,)`.

    Before, between and after the recordings is silence, of 0.05 to 0.25 seconds each, and over all
    of it a noise that can hardly be heard. With `vary`, a string is also played at another speed,
    which moves pitch and formants as another voice would, each digit again by a little; it is made
    louder or softer, sent through another microphone (one echo of a few samples, and more or less
    of the treble) and covered with noise. The arguments are those of `DigitStrings`.

    Example:

    >>> import kzoo
    >>> strings = SpokenStrings(kzoo.data.load_speech(), "test", 100)
    >>> samples, digits = strings.draw(0)
    >>> samples.dtype.name, len(samples) > 1000 * len(digits)
    ('float32', True)
    """

    def __init__(self, digits, part, count, **options):
        super().__init__(digits, part, count, **options)
        speakers = np.array(digits.speakers)[self.rows]
        self._pools = [self.rows[speakers == name] for name in sorted(set(speakers.tolist()))]

    def pool(self, random):
        """Returns the rows of one speaker."""
        return self._pools[random.integers(len(self._pools))]

    def compose(self, rows, random):
        """Returns the samples of the digits in these rows of the set."""
        speed = np.exp(random.uniform(-0.3, 0.3)) if self.vary else 1.0
        pieces = [_silence(random)]
        for row in rows:
            samples = self.digits.samples[row]
            if self.vary:
                samples = _play(samples, speed * np.exp(random.uniform(-0.07, 0.07)))
            pieces += [samples, _silence(random)]
        samples = np.concatenate(pieces)
        if self.vary:
            samples = _record(samples, random)
        return (samples + _DITHER * random.normal(size=len(samples))).astype("float32")


def _silence(random):
    return np.zeros(random.integers(400, 2001), "float32")


def _play(samples, speed):
    """Plays samples faster, and so higher, or slower."""
    times = np.arange(0, len(samples) - 1, speed)
    return np.interp(times, np.arange(len(samples)), samples)


def _record(samples, random):
    """Records samples anew: another microphone, another room, another distance."""
    level = np.sqrt(np.mean(samples**2)) + 1e-6
    treble, delay = random.uniform(-0.5, 0.8), random.integers(2, 40)
    samples = samples - treble * np.pad(samples, [1, 0])[:-1]
    samples = samples + random.uniform(-0.4, 0.4) * np.pad(samples, [delay, 0])[:-delay]
    noise = random.normal(size=len(samples)) * level * 10 ** random.uniform(-3, -0.7)
    return np.clip((samples + noise) * 10 ** random.uniform(-1, 0.3), -1, 1)
