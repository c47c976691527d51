"""What can go wrong on the way out."""


class ExportError(ValueError):
    """The model cannot be exported as asked; the message says what, where and what to do.

    Example:

    >>> from kzoo.export import Predictor
    >>> try:
    ...     Predictor("missing.tflite")
    ... except ExportError as error:
    ...     print(error)
    path: no such file: missing.tflite
    """


class VerificationError(ExportError):
    """A written file does not compute what the Keras model computes.

    Example, that whoever catches an `ExportError` catches it too:

    >>> issubclass(VerificationError, ExportError)
    True
    """
