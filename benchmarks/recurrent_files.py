"""The files of `benchmarks.recurrent`: kzoo's, those of Keras's converter, and ONNX models."""

import keras

from benchmarks import peers
from kzoo.export import Export, export_many
from kzoo.layers import CELLS, Recurrent

SIZES = [(64, 128, 100), (128, 256, 50), (40, 64, 400), (64, 128, 1000), (64, 128, 4000)]
KERAS_LAYERS = {
    "simple_rnn": keras.layers.SimpleRNN,
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
}
DEVICE_CELLS = (*KERAS_LAYERS, "sru")
# A step of Keras's file costs the more the longer the sequence is.
KERAS_LONGEST = 1000


def name(cell, size, outputs, maker):
    """Returns a file's name; `outputs` is "last" or "all". Only Keras's files have a fixed length.

    Args:
        cell: Name of the cell.
        size: Inputs, units and time steps.
        outputs: "last" or "all".
        maker: "kzoo", "kzoo int8", "fused", "Keras" or "ONNX".
    """
    sizes = size if maker == "Keras" else size[:2]
    ending = "onnx" if maker == "ONNX" else "tflite"
    return "_".join([cell, *map(str, sizes), outputs, maker.replace(" ", "_")]) + f".{ending}"


def makers(cell, size):
    """Returns whose files there are for a cell and a size."""
    result = ["kzoo", "kzoo int8"]
    if cell in KERAS_LAYERS:
        result += ["ONNX"] + ["Keras"] * (size[2] <= KERAS_LONGEST)
    return result + ["fused"] * (cell == "lstm")


def write_files(folder, keys):
    """Writes the files that are missing; all of one cell and size have the same weights.

    Args:
        folder: Where to write.
        keys: Tuples of cell, size and outputs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    exports = {}
    for cell, size, outputs in keys:
        paths = {maker: folder / name(cell, size, outputs, maker) for maker in makers(cell, size)}
        if all(path.exists() or path in exports for path in paths.values()):
            continue
        features, units, time_steps = size
        keras.utils.set_random_seed(units)
        layer = Recurrent(CELLS[cell](units), return_sequences=outputs == "all")
        inputs = keras.Input((None, features))
        model = keras.Model(inputs, layer(inputs))
        options = {
            "kzoo": {},
            "kzoo int8": {"precision": "dynamic"},
            "fused": {"lowering": "fused", "batch_size": 1},
        }
        for maker, path in paths.items():
            if maker in options:
                exports.setdefault(path, Export(model, path, **options[maker]))
        if "ONNX" in paths:
            peers.write_onnx(paths["ONNX"], cell, layer.get_weights(), outputs == "all")
        if "Keras" in paths:
            theirs = KERAS_LAYERS[cell](units, return_sequences=outputs == "all")
            theirs.build((1, time_steps, features))
            theirs.set_weights(layer.get_weights())
            content = peers.keras_file(theirs, (1, time_steps, features))
            paths["Keras"].write_bytes(content)
    if exports:
        export_many(list(exports.values()))
