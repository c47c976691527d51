"""The commands of `kzoo` that run a file on pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass
class Caption:
    """Describe pictures with a `.tflite` file alone."""

    # The `.tflite` file.
    file: tyro.conf.Positional[Path]
    # The pictures: PNG or any other format; they are scaled to the size that the file takes.
    pictures: tyro.conf.Positional[tuple[Path, ...]]
    # Greedy search, which is quicker than beam search.
    greedy: bool = False

    def run(self):
        """Prints one caption a line."""
        from kzoo.export import CaptionPredictor

        predictor = CaptionPredictor(self.file)
        for path in self.pictures:
            picture = read_picture(path, predictor.picture_shape)
            print(*predictor(picture[None], beam=not self.greedy), flush=True)


def read_picture(path, shape):
    """Returns the uint8 `(height, width, channels)` of a picture, scaled to this shape.

    Args:
        path: File in any format that Pillow reads.
        shape: One channel is brightness, three are red, green and blue.
    """
    import numpy as np
    from PIL import Image

    height, width, channels = shape
    with Image.open(path) as picture:
        picture = picture.convert("L" if channels == 1 else "RGB")
        if picture.size != (width, height):
            picture = picture.resize((width, height))
        return np.asarray(picture).reshape(shape)


PictureCommand = Annotated[Caption, tyro.conf.subcommand("caption")]
