"""Names for models: a preset is one entry, found by `list_models`, built by `create_model`."""

import fnmatch
import functools

_MODELS = {}


def register_model(name, factory, /, **sizes):
    """Registers a preset.

    Args:
        name: Name of the preset; a name can be registered once.
        factory: Function of keyword arguments that returns a `keras.Model`.
        **sizes: Arguments that the preset fixes, and `create_model` may override.

    Raises:
        ValueError: there is a preset of that name already.

    Example, of a name that is taken:

    >>> from kzoo.models import text_classifier
    >>> register_model("text_sru", text_classifier, cell="sru", units=16)
    Traceback (most recent call last):
    ValueError: `name` must be new. Received: name='text_sru', which is registered
    """
    if name in _MODELS:
        raise ValueError(f"`name` must be new. Received: name={name!r}, which is registered")
    _MODELS[name] = functools.partial(factory, **sizes)


def list_models(pattern="*"):
    """Returns the sorted names of the registered models that match a shell pattern.

    Args:
        pattern: Such as "text_*"; "*" for all.

    Example:

    >>> list_models("text_sru*")
    ['text_sru', 'text_sru_plus_plus', 'text_sru_small']
    """
    return sorted(fnmatch.filter(_MODELS, pattern))


def create_model(name, /, **sizes):
    """Builds a registered model.

    Args:
        name: One of `list_models()`.
        **sizes: Arguments of the model's factory; they override the preset's own.

    Returns:
        A `keras.Model` with new weights.

    Raises:
        ValueError: there is no model of that name, or its factory refuses a size.

    Example:

    >>> model = create_model("text_sru_small", vocabulary_size=100, num_classes=2)
    >>> model.output_shape
    (None, 2)
    """
    if name not in _MODELS:
        raise ValueError(f"`name` must be one of {list_models()}. Received: name={name!r}")
    return _MODELS[name](**sizes)
