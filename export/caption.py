"""Describe pictures with the `.tflite` file of a captioner; needs no TensorFlow."""

import numpy as np

from kzoo.export.errors import ExportError
from kzoo.export.translate import Seq2SeqPredictor


class CaptionPredictor(Seq2SeqPredictor):
    """Captions for pictures, from a file of `export_seq2seq` alone.

    It is used as `Seq2SeqPredictor`, with pictures in the place of texts: uint8 arrays `(batch,
    height, width, channels)`, or `(batch, height, width)` of a file that takes one channel.

    Args:
        path: the file.

    Attributes:
        picture_shape: `(height, width, channels)` of the pictures that the file takes.

    Raises:
        ExportError: the file is missing, damaged, or no captioner.

    Example:

    >>> from kzoo.export import CaptionPredictor, ExportError
    >>> try:
    ...     CaptionPredictor("missing.tflite")
    ... except ExportError as error:
    ...     print(error)
    path: no such file: missing.tflite
    """

    def __init__(self, path):
        """Load the file; see the class."""
        super().__init__(path)
        (source,) = self.manifest["signatures"]["encode"]["inputs"]
        self.picture_shape = tuple(source["shape"][1:])
        if len(self.picture_shape) != 3:
            raise ExportError(f"path: {path} takes {source['name']}, and no pictures")

    def align(self, picture, beam=True):
        """Return where a search looked while it wrote.

        Args:
            picture: `(height, width, channels)`.
            beam: whether to take the best of beam search, or greedy search.

        Returns:
            The tokens written (the end with them, if it came), and float32 `(tokens, rows,
            columns)`, how much each place of the grid over the picture was attended to.

        Raises:
            ValueError: the file gives no alignments of that search, or carries no tokenizer.
        """
        self._check_alignments(beam)
        words, weights = self._align(self._read(np.asarray(picture)[None]), beam)
        return words, to_grids(weights, self.picture_shape)

    def _read(self, pictures):
        if self.target_tokenizer is None:
            raise ValueError(
                "pictures: this file carries no tokenizer; give export_seq2seq `target_tokenizer`"
            )
        pictures = np.asarray(pictures)
        if pictures.ndim == 3 and self.picture_shape[-1] == 1:
            pictures = pictures[..., None]
        if pictures.dtype != np.uint8 or pictures.shape[1:] != self.picture_shape:
            raise ValueError(
                f"pictures: expected uint8 with a batch axis before {self.picture_shape}, "
                f"got {pictures.dtype} of shape {pictures.shape}"
            )
        return pictures


def to_grids(weights, picture_shape):
    """Returns alignments `(..., places)` as grids `(..., rows, columns)` over the picture.

    Every place stands for a square of the picture.

    Example:

    >>> to_grids(np.ones((5, 8)), (64, 32, 1)).shape
    (5, 4, 2)
    """
    height, width, _ = picture_shape
    side = round((height * width / weights.shape[-1]) ** 0.5)
    return weights.reshape(*weights.shape[:-1], height // side, width // side)
