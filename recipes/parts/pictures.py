"""Pictures and recordings from files, as models read them."""

import numpy as np

# Of the rows of a line, those that its ink fills: MNIST fits a digit into 20 of 28.
INK = 0.66


def read_picture(path, shape):
    """Returns the uint8 `(height, width, channels)` of a picture, scaled to this shape.

    Args:
        path: File in any format that Pillow reads.
        shape: One channel is brightness, three are red, green and blue.
    """
    from PIL import Image

    height, width, channels = shape
    with Image.open(path) as picture:
        picture = picture.convert("L" if channels == 1 else "RGB")
        if picture.size != (width, height):
            picture = picture.resize((width, height))
        return np.asarray(picture).reshape(shape)


def read_input(path, height=None):
    """Returns what a `kzoo.export.RecognitionPredictor` takes.

    Args:
        path: A `.npy` file, which is taken as it is; a wave file; or a picture of one line.
        height: Rows of a picture; None for sound.

    Raises:
        ValueError: if the file is none of these.
    """
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    if height is None:
        from kzoo.data import read_wave

        return read_wave(path)
    return _read_line(path, height)


def _read_line(path, height):
    """Reads a picture: dark ink on light paper or the other way round, scaled to a line's rows."""
    from matplotlib import image
    from PIL import Image

    try:
        ink = np.asarray(image.imread(path), "float32")
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{path}: expected a picture ({error})") from error
    # PNG comes from 0 to 1, other formats from 0 to 255; a fourth channel would be opacity.
    ink = ink / (255 if ink.max() > 1 else 1)
    ink = ink[..., :3].mean(axis=-1) if ink.ndim == 3 else ink
    if np.median(ink) > 0.5:
        ink = 1 - ink
    rows = np.flatnonzero((ink > 0.25).any(axis=1))
    if not len(rows):
        raise ValueError(f"{path}: expected ink on paper, got none")
    if len(ink) != height:
        ink = ink[rows[0] : rows[-1] + 1]
        filled = round(INK * height)
        width = max(1, round(ink.shape[1] * filled / len(ink)))
        ink = np.asarray(Image.fromarray(ink).resize((width, filled), Image.Resampling.BILINEAR))
        top = (height - filled) // 2
        # Ink at the very edge is unlike any line of training.
        ink = np.pad(ink, [[top, height - len(ink) - top], [4, 4]])
    return ink
