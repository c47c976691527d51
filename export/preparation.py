"""Replace the recurrent layers of a plain Keras model by those of kzoo."""

from kzoo.export.cases import make_cases
from kzoo.export.reference import ModelReference
from kzoo.export.replace import replace_layers
from kzoo.export.verification import TOLERANCE, compare

LENGTHS = (1, 7, 20)


def prepare(model, inputs=None, *, lengths=LENGTHS):
    """Return a copy of a Keras model whose recurrent layers are kzoo's, which can be exported.

    These are replaced, in functional and Sequential models, in models inside models, and where they
    are attributes of custom layers: `SimpleRNN`, `LSTM`, `GRU`, `RNN` with any cell that is a layer
    (those of Keras, `StackedRNNCells`, custom ones), `Bidirectional`, and `TimeDistributed`. Names,
    weights, masks, states handed over and returned, shared layers and dtype policies stay. The copy
    is run against the model on batches of 1 and 5 rows and several lengths. A model that holds none
    of these layers is returned as it is.

    What changes:

    - The copy is for inference: replaced layers have no dropout, regularizers or constraints, and
      the copy is not compiled. Its weights are its own, but for layers that cannot be made again
      from their configuration, such as a Lambda: these it shares with the model.
    - Batch sizes that the model fixes become dynamic.
    - A stateful layer becomes a stateless one, whose state is zero at the beginning of each call:
      what the model computes after `reset_states()`. A warning names it.
    - `unroll` has no meaning for the copy.

    Args:
        model: functional or Sequential keras.Model.
        inputs: real inputs to compare with, see `kzoo.export.verify`.
        lengths: sequence lengths to compare with.

    Returns:
        A keras.Model. `keras.saving.load_model` finds its layers where `kzoo.layers` was imported.

    Raises:
        ExportError: some layers cannot be replaced; names all of them, each with its reason.
        VerificationError: the copy does not compute what the model computes.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((None, 4)), keras.layers.LSTM(8, name="lstm")])
    >>> prepare(model).get_layer("lstm").cell.units
    8
    """
    prepared = replace_layers(model)
    if prepared is model:
        return model
    reference = ModelReference(prepared)
    for case in make_cases(prepared, inputs, lengths, original=model):
        outputs = reference(case.inputs)
        where = f"prepared {model.name!r}, {case.shapes}"
        compare(where, case, outputs, TOLERANCE["float32"])
    return prepared
