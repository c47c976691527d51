"""Unaligned many-to-many models: symbols read off a picture, or heard in sound, by CTC."""

import keras
from keras import ops

from kzoo.decoding import ctc_beam_search, ctc_greedy
from kzoo.decoding.ctc import IMPOSSIBLE
from kzoo.layers import (
    BestClass,
    FrameLogProbabilities,
    LengthMasking,
    LogMel,
    MeanPooling,
    NewSymbols,
    SpecAugment,
)
from kzoo.layers.checks import check_sizes
from kzoo.models.encoders import walk

# Columns of a picture, or hops of sound, that are one frame of a model that is not causal.
STRIDE = 2


def ctc_recognizer(
    *,
    num_classes,
    reads="pictures",
    height=32,
    causal=False,
    filters=(16, 24, 32),
    cell="lstm",
    units=64,
    num_layers=1,
    dropout=0.2,
    name="ctc_recognizer",
    **spectra,
):
    """Builds a recognizer of strings, whose symbols need not be aligned with what is read.

    Wiring: for sound, `kzoo.layers.LogMel` inside the model, less its mean over the string; then
    convolutions, which halve the time once and the other axis each time; recurrent layers in both
    directions; and for each frame the logarithms of the probabilities of the symbols, and of the
    blank. A causal recognizer of sound has causal convolutions over time alone and recurrent layers
    that walk forwards, and can run while the sound comes in: see `ctc_stream`.

    Sources: Graves et al. 2006, "Connectionist Temporal Classification"; Shi, Bai and Yao 2017, "An
    End-to-End Trainable Neural Network for Image-based Sequence Recognition" (CRNN, arXiv
    1507.05717).

    Args:
        num_classes: Number of symbols and the blank, which is class 0; at least 2.
        reads: "pictures" or "samples".
        height: Rows of a picture.
        causal: Whether no frame depends on what comes after it; for samples.
        filters: Filters of each convolution.
        cell: Name of a recurrent cell, one of `kzoo.layers.CELLS`.
        units: Width of a recurrent layer and direction.
        num_layers: Number of recurrent layers.
        dropout: Fraction of features dropped before each recurrent layer and the classes.
        name: Name of the model.
        **spectra: For samples, arguments of `kzoo.layers.LogMel`, and as `augment` a dict of those
            of `kzoo.layers.SpecAugment`, or None.

    Returns:
        A `keras.Model` of `pictures`, `(batch, height, width)`, ink from 0 to 1, or of `samples`,
        `(batch, time, sequence_stride)`, hops of sound from -1 to 1; and of int32 `lengths`,
        `(batch,)`, the columns or hops of each row, unless it is causal. It gives the logarithms
        of probabilities, `(batch, frames, num_classes)`, to be trained by `keras.losses.CTC`:
        frames that are padding say the blank, for certain. `ctc_decoder` reads symbols out of it.

    Example:

    >>> import numpy as np
    >>> model = ctc_recognizer(num_classes=11, filters=(4, 4), units=8)
    >>> inputs = {"pictures": np.zeros((2, 32, 50)), "lengths": np.array([50, 20])}
    >>> tuple(model(inputs).shape)
    (2, 25, 11)
    """
    check_sizes(num_classes=num_classes, height=height)
    check_sizes(**{f"filters[{index}]": size for index, size in enumerate(filters)})
    if reads not in ("pictures", "samples"):
        raise ValueError(f"`reads` must be 'pictures' or 'samples'. Received: reads={reads!r}")
    if reads == "pictures" and (causal or spectra):
        received = sorted(spectra) + ["causal"] * causal
        raise ValueError(f"Pictures take no options of samples. Received: {', '.join(received)}")
    if causal:
        inputs, features = _listen(None, **spectra)
        features = _convolve_causally(features, filters)
        features = walk(features, cell, units, num_layers, False, dropout)
    else:
        lengths = keras.Input((), dtype="int32", name="lengths")
        if reads == "pictures":
            inputs = keras.Input((height, None), name="pictures")
            features = keras.layers.Permute((2, 1), name="columns")(inputs)
            features = LengthMasking(name="columns_known")([features, lengths])
        else:
            inputs, features = _listen(lengths, **spectra)
        features = _convolve(features, lengths, filters)
        features = walk(features, cell, units, num_layers, True, dropout)
        inputs = {reads: inputs, "lengths": lengths}
    features = keras.layers.Dropout(dropout, name="dropout")(features)
    logits = keras.layers.Dense(num_classes, name="logits")(features)
    return keras.Model(inputs, FrameLogProbabilities(name="frames")(logits), name=name)


def _listen(lengths, augment=None, **spectra):
    """Wires spectra of zero mean, less those that training hides."""
    layer = LogMel(**spectra, name="log_mel")
    samples = keras.Input((None, layer.sequence_stride), name="samples")
    features = layer(samples)
    if lengths is not None:
        features = LengthMasking(attach=True, name="hops_known")([features, lengths])
        mean = MeanPooling(name="mean")(features)
        mean = keras.layers.Reshape((1, layer.num_mel_bins), name="mean_spectrum")(mean)
        features = keras.layers.Subtract(name="less_mean")([features, mean])
    features = keras.layers.BatchNormalization(name="normalization")(features)
    if augment is not None:
        features = SpecAugment(**augment, name="augment")(features)
    if lengths is not None:
        features = LengthMasking(name="features_known")([features, lengths])
    return samples, features


def _convolve(features, lengths, filters):
    """Wires convolutions over time and the other axis, `(batch, time, size)` to the same."""
    size = features.shape[-1]
    features = keras.layers.Reshape((-1, size, 1), name="plane")(features)
    # Zeros on both sides, by hand: with strides, "same" would shift a sequence of an even length.
    features = keras.layers.ZeroPadding2D(1, name="edges")(features)
    for index, count in enumerate(filters):
        # The first one halves by strides: whole planes would cost as much as all the rest.
        options = {"padding": "same"} if index else {"strides": STRIDE}
        features = keras.layers.Conv2D(
            count, 3, use_bias=False, **options, name=f"convolution_{index}"
        )(features)
        features = keras.layers.BatchNormalization(name=f"normalization_{index}")(features)
        features = keras.layers.ReLU(name=f"relu_{index}")(features)
        features = LengthMasking(STRIDE, name=f"known_{index}")([features, lengths])
        size = -(-size // 2)
        if index:
            pooling = keras.layers.MaxPooling2D((1, 2), padding="same", name=f"pooling_{index}")
            features = pooling(features)
    features = keras.layers.Reshape((-1, size * filters[-1]), name="frames_of_planes")(features)
    return LengthMasking(STRIDE, attach=True, name="frames_known")([features, lengths])


def _convolve_causally(features, filters):
    """Wires convolutions over time, which see no later hop."""
    for index, count in enumerate(filters):
        features = keras.layers.Conv1D(
            count, 5, padding="causal", use_bias=False, name=f"convolution_{index}"
        )(features)
        features = keras.layers.BatchNormalization(name=f"normalization_{index}")(features)
        features = keras.layers.ReLU(name=f"relu_{index}")(features)
    return features


@keras.saving.register_keras_serializable(package="kzoo")
class CTCDecoding(keras.layers.Layer):
    """Reads symbols out of frames, see `kzoo.decoding.ctc_greedy` and `ctc_beam_search`.

    Args:
        num_beams: Number of beams of `ctc_beam_search`; None takes the best path.
        max_length: Number of symbols that a beam may hold.

    Call arguments:
        frames: Logarithms of probabilities, `(batch, time, classes)`.

    Returns:
        int32 symbols and then 0, `(batch, max_length)`, or of the best path `(batch, time)`; and
        how certain they are, `(batch,)`: the probability of the string, or of its best path, as a
        geometric mean over the frames that are no padding.

    Example:

    >>> import numpy as np
    >>> frames = np.log(np.array([[[0.1, 0.9], [0.8, 0.2], [0.1, 0.9]]], "float32"))
    >>> ids, certainty = CTCDecoding()(frames)
    >>> np.array(ids).tolist(), round(float(certainty[0]), 3)
    ([[1, 1, 0]], 0.865)
    """

    def __init__(self, num_beams=None, max_length=32, **kwargs):
        super().__init__(**kwargs)
        self.num_beams = num_beams
        self.max_length = max_length

    def call(self, frames):
        """Finds the symbols; see the class."""
        if self.num_beams is None:
            ids, _, scores, _ = ctc_greedy(frames)
        else:
            options = dict(num_beams=self.num_beams, max_length=self.max_length)
            ids, _, scores = (x[:, 0] for x in ctc_beam_search(frames, **options)[:3])
        known = ops.sum(ops.cast(frames[:, :, -1] > IMPOSSIBLE, "float32"), axis=1)
        return ids, ops.exp(scores / ops.maximum(known, 1.0))

    def compute_output_spec(self, frames):
        """Returns shapes and types of symbols and certainties."""
        batch, time = frames.shape[:2]
        length = time if self.num_beams is None else self.max_length
        return (
            keras.KerasTensor((batch, length), dtype="int32"),
            keras.KerasTensor((batch,), dtype="float32"),
        )

    def get_config(self):
        """Returns the constructor arguments."""
        config = {"num_beams": self.num_beams, "max_length": self.max_length}
        return {**super().get_config(), **config}


def ctc_decoder(model, num_beams=None, max_length=32, name="ctc_decoder"):
    """Wires decoding behind a recognizer.

    Args:
        model: A model of `ctc_recognizer`.
        num_beams: Number of beams of a prefix beam search; None takes the best path.
        max_length: Number of symbols that a beam may hold.
        name: Name of the new model, which shares the layers of `model`.

    Returns:
        A `keras.Model` with the outputs `ids`, int32 `(batch, symbols)`, the classes of the symbols
        and then 0, and `certainties`, `(batch,)`; see `CTCDecoding`.

    Example:

    >>> model = ctc_recognizer(num_classes=11, filters=(4, 4), units=8)
    >>> ctc_decoder(model, num_beams=4, max_length=8).output["ids"].shape
    (None, 8)
    """
    found = CTCDecoding(num_beams, max_length, name="decoding")(model.output)
    # Outputs are called by the layers that they come from.
    outputs = {
        key: keras.layers.Identity(dtype=x.dtype, name=key)(x)
        for key, x in zip(("ids", "certainties"), found, strict=True)
    }
    return keras.Model(model.input, outputs, name=name)


def ctc_stream(model, name="ctc_stream"):
    """Wires what is read out of each frame behind a causal recognizer, for `export_streaming`.

    Args:
        model: A model of `ctc_recognizer` with `causal=True`.
        name: Name of the new model, which shares the layers of `model`.

    Returns:
        A `keras.Model` of `samples` with the outputs `probabilities`, `(batch, time, classes)`, and
        `symbols`, int32 `(batch, time)`: the symbol that begins at a hop, or 0.

    Example:

    >>> model = ctc_recognizer(num_classes=11, reads="samples", causal=True, units=8)
    >>> sorted(ctc_stream(model).output)
    ['probabilities', 'symbols']
    """
    outputs = {
        "probabilities": keras.layers.Activation("exponential", name="probabilities")(model.output),
        "symbols": NewSymbols(name="symbols")(BestClass(name="best")(model.output)),
    }
    return keras.Model(model.input, outputs, name=name)
