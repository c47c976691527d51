"""Logarithmic mel spectra of sound, computed inside a model."""

import keras
import numpy as np
from keras import ops

# Files of int8 weights keep constants of fewer elements in float: spectra span six decades.
_SMALL = 1024


def mel_filters(num_mel_bins, num_bins, sampling_rate, min_freq, max_freq):
    """Returns triangular filters, evenly wide in mel, over the bins of a spectrum.

        mel(f) = 2595 log10(1 + f / 700)

    Source: O'Shaughnessy 1987, "Speech Communication"; Davis and Mermelstein 1980.

    Args:
        num_mel_bins: Number of filters.
        num_bins: Number of bins, from 0 to half the sampling rate.
        sampling_rate: Samples a second.
        min_freq: Where the first filter begins, in Hz.
        max_freq: Where the last filter ends, in Hz.

    Returns:
        float64 `(num_bins, num_mel_bins)`.

    Example:

    >>> filters = mel_filters(2, 5, 8000, 0, 4000)
    >>> filters.round(2).tolist()
    [[0.0, 0.0], [0.6, 0.4], [0.0, 0.87], [0.0, 0.38], [0.0, 0.0]]
    """

    def mel(frequency):
        return 2595 * np.log10(1 + frequency / 700)

    bins = mel(np.linspace(0, sampling_rate / 2, num_bins))[:, None]
    edges = np.linspace(mel(min_freq), mel(max_freq), num_mel_bins + 2)
    width = edges[1] - edges[0]
    return np.maximum(0, 1 - np.abs(bins - edges[1:-1]) / width)


@keras.saving.register_keras_serializable(package="kzoo")
class LogMel(keras.layers.Layer):
    """Logarithm of the mel spectrum of sound, causal, with the words of `MelSpectrogram` of Keras.

        y_t = log(M |DFT(w * x_t)|^2 + floor)

    where `x_t` are the `fft_length` samples that end with hop `t` (zeros before the first), `w` is
    a Hann window and `M` are `mel_filters`. Sound comes in hops, so that a model that reads it hop
    by hop gives what it gives for all of it: `samples.reshape(1, -1, sequence_stride)`.

    The Fourier transform is made of small matrix products (Cooley and Tukey 1965, "An Algorithm for
    the Machine Calculation of Complex Fourier Series", with two factors): it converts to built-in
    operators, costs a third of one large product, and no constant of it has as many elements as
    files of int8 weights quantize. It computes in float32 under any dtype policy.

    Args:
        num_mel_bins: Number of filters.
        sampling_rate: Samples a second.
        fft_length: Samples of a window, a power of two.
        sequence_stride: Samples of a hop, a divisor of `fft_length`.
        min_freq: Where the first filter begins, in Hz.
        max_freq: Where the last filter ends, half the sampling rate by default.
        floor: What is added before the logarithm.

    Input shape:
        `(batch, time, sequence_stride)`, samples from -1 to 1.

    Output shape:
        `(batch, time, num_mel_bins)`. A mask is handed on.

    Example:

    >>> layer = LogMel(num_mel_bins=20)
    >>> tuple(layer(np.zeros((2, 50, 128), "float32")).shape)
    (2, 50, 20)
    """

    def __init__(
        self,
        num_mel_bins=40,
        sampling_rate=8000,
        fft_length=256,
        sequence_stride=128,
        min_freq=60.0,
        max_freq=None,
        floor=1e-5,
        **kwargs,
    ):
        if fft_length < 4 or fft_length & (fft_length - 1):
            raise ValueError(
                f"`fft_length` must be a power of two, at least 4. Received: {fft_length}"
            )
        if sequence_stride < 1 or fft_length % sequence_stride:
            raise ValueError(
                f"`sequence_stride` must be a divisor of fft_length={fft_length}. "
                f"Received: sequence_stride={sequence_stride}"
            )
        end = sampling_rate / 2 if max_freq is None else max_freq
        if not 0 <= min_freq < end <= sampling_rate / 2:
            raise ValueError(
                "`min_freq` and `max_freq` must be increasing, from 0 to half the sampling rate. "
                f"Received: min_freq={min_freq}, max_freq={max_freq}"
            )
        super().__init__(autocast=False, **kwargs)
        self.supports_masking = True
        self.num_mel_bins = num_mel_bins
        self.sampling_rate = sampling_rate
        self.fft_length = fft_length
        self.sequence_stride = sequence_stride
        self.min_freq = min_freq
        self.max_freq = max_freq
        self.floor = floor
        self._window = np.hanning(fft_length + 1)[:-1].astype("float32")
        self._factors = _factors(fft_length)
        filters = mel_filters(num_mel_bins, fft_length // 2 + 1, sampling_rate, min_freq, end)
        # The transform gives some bins beyond the half, too.
        count = self._factors[0].shape[0] * self._factors[2].shape[1] // 2
        self._filters = np.pad(filters, [[0, count - len(filters)], [0, 0]])

    @property
    def memory(self):
        """Number of earlier hops that a spectrum sees."""
        return self.fft_length // self.sequence_stride - 1

    def build(self, inputs_shape):
        """Checks the shape."""
        if len(inputs_shape) != 3 or inputs_shape[-1] != self.sequence_stride:
            raise ValueError(
                f"`inputs` must have shape (batch, time, {self.sequence_stride}). "
                f"Received: shape={tuple(inputs_shape)}"
            )

    def call(self, inputs):
        """Computes the spectra; see the class."""
        samples = ops.cast(inputs, "float32")
        time = ops.shape(samples)[1]
        padded = ops.pad(samples, [[0, 0], [self.memory, 0], [0, 0]])
        shifts = [padded[:, n : n - self.memory or None] for n in range(self.memory + 1)]
        power = self._power(ops.concatenate(shifts, axis=-1) * self._window)
        energies = _product(power, self._filters)
        spectra = ops.reshape(ops.log(energies + self.floor), (-1, time, self.num_mel_bins))
        return ops.cast(spectra, self.compute_dtype)

    def _power(self, frames):
        """The power of each bin; see `_factors`."""
        first, twiddle, last = self._factors
        a, b = first.shape[0], twiddle.shape[1]
        x = _product(ops.transpose(ops.reshape(frames, (-1, a, b)), (0, 2, 1)), first)
        real, imaginary = x[:, :, :a], x[:, :, a:]
        turned = [
            real * twiddle[0] - imaginary * twiddle[1],
            real * twiddle[1] + imaginary * twiddle[0],
        ]
        x = _product(ops.transpose(ops.concatenate(turned, axis=1), (0, 2, 1)), last)
        half = last.shape[1] // 2
        power = ops.square(x[:, :, :half]) + ops.square(x[:, :, half:])
        return ops.reshape(ops.transpose(power, (0, 2, 1)), (-1, len(self._filters)))

    def compute_output_shape(self, inputs_shape):
        """Returns the shape of the spectra."""
        return (*inputs_shape[:-1], self.num_mel_bins)

    def get_config(self):
        """Returns the constructor arguments."""
        names = "num_mel_bins sampling_rate fft_length sequence_stride min_freq max_freq floor"
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}


def _factors(length):
    """The constants of a Fourier transform of `length` = a b samples.

    With n = b n1 + n2 and k = k1 + a k2, `exp(-2 pi i n k / (a b))` is the product of a turn by n1
    k1 / a, one by n2 k1 / (a b) and one by n2 k2 / b: a matrix over n1, a turn of each number, and
    a matrix over n2.

    Returns:
        The first matrix `(a, 2 a)`, to the real parts of k1 and then the imaginary ones; the turns
        `(2, b, a)`, real and imaginary; the last matrix `(2 b, b + 2)`, from real and imaginary
        parts of n2 to those of k2 up to b / 2.
    """
    a = 2 ** -(-(length.bit_length() - 1) // 2)
    b = length // a

    def turn(rows, columns, period):
        angle = -2 * np.pi * np.outer(np.arange(rows), np.arange(columns)) / period
        return np.cos(angle), np.sin(angle)

    cos, sin = turn(b, b // 2 + 1, b)
    first = np.concatenate(turn(a, a, a), axis=1)
    return (
        first,
        np.stack(turn(b, a, length)).astype("float32"),
        np.block([[cos, sin], [-sin, cos]]),
    )


def _product(x, matrix):
    """`x @ matrix`, by parts with few elements, which leave out rows of zeros at both ends."""
    parts, begin, shape = [], 0, (-1, *x.shape[1:-1], matrix.shape[1])
    # On TensorFlow, one product of flat rows is far quicker than many small ones.
    x = ops.reshape(x, (-1, x.shape[-1]))
    while begin < matrix.shape[1]:
        end = begin + 1
        while end < matrix.shape[1] and _elements(matrix[:, begin : end + 1]) < _SMALL:
            end += 1
        low, high = _span(matrix[:, begin:end])
        part = matrix[low:high, begin:end].astype("float32")
        parts.append(ops.matmul(x[:, low:high], ops.convert_to_tensor(part)))
        begin = end
    return ops.reshape(parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=1), shape)


def _span(matrix):
    rows = np.flatnonzero(np.abs(matrix).max(axis=1))
    return (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 1)


def _elements(matrix):
    low, high = _span(matrix)
    return (high - low) * matrix.shape[1]
