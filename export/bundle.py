"""A `.tflite` file that carries its tokenizer, labels and manifest.

The extra files follow the flatbuffer as a zip archive, where TensorFlow Lite keeps the associated
files of its metadata: `unzip -l model.tflite` lists them, runtimes ignore them. As there, all are
uncompressed but the golden batch, which no client needs to run the model.
"""

import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from kzoo.export.errors import ExportError

MANIFEST, TOKENIZER, LABELS, GOLDEN = "manifest.json", "tokenizer.json", "labels.txt", "golden.json"
TARGET_TOKENIZER, VOCABULARY = "target_tokenizer.json", "vocab.txt"
LIBRARIES = ("keras", "tensorflow", "ai-edge-litert", "numpy")
FORMAT_VERSION = 1
# What reading an archive raises, by which of its bits are wrong.
DAMAGES = (
    EOFError,
    KeyError,
    OSError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
# The one signature of a model that is no encoder-decoder.
SIGNATURE = "serving_default"


@dataclass(frozen=True)
class Bundle:
    """What a `.tflite` file carries beside the model.

    Attributes:
        manifest: dict with `format_version`, `kzoo`, `libraries`, `precision`, `max_length`,
            `signatures` (names, shapes with None where any size goes, dtypes) and `flatbuffer`
            (bytes, sha256); and `details`, if given to `Export`.
        tokenizer: JSON text of the tokenizer of what the model reads, or None.
        labels: tuple of class names in the order of the outputs, or None.
        golden: {"inputs": ..., "outputs": ...}, one small batch and what the Keras model makes
            of it, as nested lists by name; for an encoder-decoder, such dicts by signature.
        target_tokenizer: JSON text of the tokenizer of what an encoder-decoder writes, or None.

    Example:

    >>> bundle = Bundle({"precision": "dynamic"}, tokenizer=None, labels=("ham", "spam"), golden={})
    >>> bundle.manifest["precision"], bundle.labels[1]
    ('dynamic', 'spam')
    """

    manifest: dict
    tokenizer: str | None
    labels: tuple[str, ...] | None
    golden: dict
    target_tokenizer: str | None = None


def write_bundle(path, manifest, tokenizer, labels, golden, target_tokenizer=None, vocabulary=None):
    """Append the files to the flatbuffer at `path`; `manifest` gains versions and checksum.

    `vocabulary`, a list of str, is for readers of `kzoo.export.metadata`, which open no archive
    with packed files in it.
    """
    content = Path(path).read_bytes()
    manifest = {
        "format_version": FORMAT_VERSION,
        "kzoo": version("kzoo"),
        "libraries": {name: version(name) for name in LIBRARIES},
        **manifest,
        "flatbuffer": {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
    }
    files = {MANIFEST: json.dumps(manifest, indent=2), GOLDEN: json.dumps(golden)}
    if tokenizer is not None:
        files[TOKENIZER] = tokenizer
    if target_tokenizer is not None:
        files[TARGET_TOKENIZER] = target_tokenizer
    if vocabulary is not None:
        files[VOCABULARY] = "\n".join(vocabulary) + "\n"
    if labels is not None:
        files[LABELS] = "\n".join(labels) + "\n"
    with zipfile.ZipFile(path, "a") as archive:
        for name, text in files.items():
            # ZipInfo's fixed date keeps equal exports equal byte by byte.
            is_packed = name == GOLDEN and vocabulary is None
            method = zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(name), text, method)


def read_described(path, names, kind, recipe):
    """Read a file whose manifest's `details` hold some names.

    Returns:
        A `Bundle`.

    Raises:
        ExportError: the file is missing or damaged, or lacks a name: then it is not of the `kind`
            that the `recipe` writes.
    """
    bundle = read_bundle(path)
    if bundle is None or not set(names) <= set(bundle.manifest.get("details", {})):
        raise ExportError(f"path: {path} is no {kind}; the recipe `{recipe}` writes one")
    return bundle


def read_bundle(path):
    """Read what `export_tflite` put beside the model.

    Args:
        path: the file.

    Returns:
        A `Bundle`, or None for a `.tflite` file without one.

    Raises:
        ExportError: no such file, or the model is not the one the manifest was written for.

    Example:

    >>> import keras
    >>> from kzoo.export import export_tflite, read_bundle
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> _ = export_tflite(model, "model.tflite", labels=["ham", "spam"])
    >>> bundle = read_bundle("model.tflite")
    >>> bundle.manifest["precision"], bundle.labels
    ('float32', ('ham', 'spam'))
    """
    path = Path(path)
    if not path.is_file():
        raise ExportError(f"path: no such file: {path}")
    content = path.read_bytes()
    if not zipfile.is_zipfile(io.BytesIO(content)):
        # An archive is known by its end; the name of its first file stands at its beginning.
        if MANIFEST.encode() in content:
            raise ExportError(f"path: {path} is cut short: the end of the files inside is missing")
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            start = min(info.header_offset for info in archive.infolist())
            # A model of others may carry files too, those of TensorFlow Lite's metadata.
            if start and MANIFEST not in archive.namelist():
                return None
            files = {name: archive.read(name).decode() for name in archive.namelist()}
        manifest = json.loads(files[MANIFEST])
        golden = json.loads(files[GOLDEN])
    except DAMAGES as error:
        raise ExportError(f"path: the files inside {path} are damaged: {error}") from error
    digest = hashlib.sha256(memoryview(content)[:start]).hexdigest()
    if digest != manifest["flatbuffer"]["sha256"]:
        raise ExportError(f"path: the model inside {path} does not match its manifest's sha256")
    labels = files[LABELS].split("\n")[:-1] if LABELS in files else None
    return Bundle(
        manifest,
        files.get(TOKENIZER),
        labels and tuple(labels),
        golden,
        files.get(TARGET_TOKENIZER),
    )
