"""What can go wrong on the way out."""


class ExportError(ValueError):
    """The model cannot be exported as asked; the message says what, where and what to do."""


class VerificationError(ExportError):
    """A written file does not compute what the Keras model computes."""
