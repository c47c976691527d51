"""Rebuild a Keras model with other layers in the place of its recurrent ones."""

import warnings

import keras
from keras import layers

from kzoo.export.errors import ExportError
from kzoo.export.recurrent_layers import DRIVERS, NotReplaceable, is_random, replace_recurrent
from kzoo.layers import TimeDistributed

RECURRENT = (layers.RNN, layers.Bidirectional)
REPLACED = (*RECURRENT, layers.TimeDistributed)


def replace_layers(model):
    """Return a copy of the model with kzoo's recurrent layers; see `kzoo.export.prepare`.

    Unlike `prepare`, this does not compare the two. A model without such layers is returned as it
    is.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((None, 4)), keras.layers.GRU(2)])
    >>> type(replace_layers(model).layers[0]).__name__
    'Recurrent'
    """
    if not holds_replaced(model):
        return model
    if not isinstance(model, keras.Sequential) and not hasattr(model, "_run_through_graph"):
        raise ExportError(
            f"model: {model.name!r} is a subclass of keras.Model with a call of its own; call it "
            "on a keras.Input and prepare keras.Model(inputs, outputs)"
        )
    custom = {type(layer).__name__: type(layer) for layer in model._flatten_layers()}
    with keras.saving.custom_object_scope({**custom, **_functions(model)}):
        return _Rebuilding(model).run()


def _is_concerned(value):
    return isinstance(value, layers.Layer) and holds_replaced(value)


def holds_replaced(layer):
    """Whether a layer is, or holds, one that is replaced for export."""
    return any(isinstance(child, REPLACED) for child in layer._flatten_layers())


def _functions(model):
    """Activations by name: a function that is not registered is found again by it."""
    names = ("activation", "recurrent_activation")
    functions = [getattr(x, name, None) for x in model._flatten_layers() for name in names]
    return {f.__name__: f for f in functions if hasattr(f, "__name__")}


class _Rebuilding:
    """One copy in the making; a layer that is used twice is copied once."""

    def __init__(self, model):
        self.model = model
        self.copies = {}
        self.originals = {}
        self.problems = []

    def run(self):
        cause = None
        try:
            model = self.copy(self.model)
            for original, copy in self.originals.values():
                self.copy_weights(original, copy)
        except Exception as error:  # Whatever the user's own layers raise.
            cause = error
            if not self.problems:
                self.problem(self.model, f"it cannot be built again: {error}")
        if self.problems:
            raise ExportError(
                f"model: {self.model.name!r} has layers that cannot be replaced for export:\n"
                + "\n".join(f"  {line}" for line in self.problems)
            ) from cause
        self.warn_of_state()
        return model

    def problem(self, layer, reason):
        self.problems.append(f"layer {layer.name!r} ({type(layer).__name__}): {reason}")

    def copy(self, layer):
        """The copy of a layer; operations outside layers have no state and are shared."""
        if not isinstance(layer, layers.Layer):
            return layer
        if id(layer) not in self.copies:
            copy = self.copies[id(layer)] = self.make_copy(layer)
            self.originals[id(copy)] = (layer, copy)
        return self.copies[id(layer)]

    def make_copy(self, layer):
        if isinstance(layer, keras.Sequential):
            inputs = [_dynamic_input(tensor) for tensor in layer.inputs]
            return keras.Sequential([*inputs, *map(self.copy, layer.layers)], name=layer.name)
        if isinstance(layer, keras.Model) and hasattr(layer, "_run_through_graph"):
            inputs = keras.tree.map_structure(_dynamic_input, layer.input)
            outputs = layer._run_through_graph(inputs, operation_fn=self.copy, call_fn=self.call)
            return keras.Model(inputs, outputs, name=layer.name)
        if isinstance(layer, layers.TimeDistributed):
            inner = self.copy(layer.layer)
            return TimeDistributed(inner, name=layer.name, dtype=layer.dtype_policy)
        if isinstance(layer, RECURRENT) and not _converts_as_it_is(layer):
            try:
                return replace_recurrent(layer)
            except NotReplaceable as error:
                self.problem(layer, error)
        return self.clone(layer)

    def clone(self, layer):
        """A layer of the same class, with copies of the layers that must be replaced inside it."""
        try:
            clone = type(layer).from_config(layer.get_config())
        except Exception as error:  # The user's own layers may raise anything.
            if not holds_replaced(layer):
                return layer
            self.problem(layer, f"it cannot be made again from its configuration: {error}")
            raise
        # A custom get_config may have left it out.
        clone.name = layer.name
        if isinstance(layer, RECURRENT) or not holds_replaced(layer):
            return clone
        for name, value in vars(layer).items():
            if name != "_layers" and name in vars(clone):
                mine = vars(clone)[name]
                replaced = self.replace_within(clone, value, mine)
                if replaced is not mine:
                    setattr(clone, name, replaced)
        if holds_replaced(clone):
            self.problem(
                layer,
                "it holds recurrent layers where they cannot be exchanged; make each an attribute, "
                "or an item of a list that is one, in its __init__",
            )
        return clone

    def replace_within(self, owner, original, clone):
        """The attribute `clone` of a layer, with copies for what must be replaced in it."""
        if isinstance(original, list) and any(map(_is_concerned, original)):
            pairs = zip(original, clone, strict=True)
            return [self.replace_within(owner, old, new) for old, new in pairs]
        if not _is_concerned(original):
            return clone
        copy = self.copy(original)
        owner._tracker.replace_tracked_value("layers", clone, copy)
        return copy

    def call(self, layer, *args, **kwargs):
        """Calls a copy as the original was called."""
        original, _ = self.originals.get(id(layer), (None, None))
        if kwargs.get("training") and isinstance(original, RECURRENT) and is_random(original):
            self.problem(original, "it is called with training=True, so its dropout is random")
        return layer(*args, **kwargs)

    def copy_weights(self, original, copy):
        if isinstance(original, RECURRENT):
            copy.set_weights(original.get_weights())
            return
        store = {}
        original.save_own_variables(store)
        copy.load_own_variables(store)
        # What was copied one by one is no part of this.
        olds = [x for x in _children(original) if id(x) not in self.copies]
        news = [x for x in _children(copy) if id(x) not in self.originals]
        for old, new in zip(olds, news, strict=True):
            self.copy_weights(old, new)

    def warn_of_state(self):
        names = [
            original.name
            for original, _ in self.originals.values()
            if isinstance(original, RECURRENT) and original.stateful
        ]
        if names:
            warnings.warn(
                f"model {self.model.name!r}: its layers {names} are stateful, but the copy for "
                "export begins every call at a state of zeros and takes batches of any size",
                stacklevel=5,
            )


def _converts_as_it_is(layer):
    """Whether a layer such as ConvLSTM1D, for which kzoo has none, was built without a loop."""
    return isinstance(layer, layers.RNN) and type(layer) not in DRIVERS and layer.unroll


def _dynamic_input(tensor):
    return keras.Input(batch_shape=(None, *tensor.shape[1:]), dtype=tensor.dtype, name=tensor.name)


def _children(layer):
    return layer._flatten_layers(recursive=False, include_self=False)
