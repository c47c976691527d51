"""BERT's weights from and to the folders of Hugging Face."""

import json
import os
from pathlib import Path

import numpy as np
from keras import ops

from kzoo.models.bert import bert
from kzoo.models.bert_tensors import HEADS, blocks, encoder_tensors, has_layer, head_tensors

CONFIG, WEIGHTS = "config.json", "model.safetensors"
POOLER = "pooler."
# Our names of activations by theirs; the first of each is written.
ACTIVATIONS = {
    "gelu": "gelu",
    "relu": "relu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
}
SIZES = {
    "vocabulary_size": "vocab_size",
    "embedding_dim": "hidden_size",
    "num_heads": "num_attention_heads",
    "hidden_dim": "intermediate_size",
    "num_layers": "num_hidden_layers",
    "max_length": "max_position_embeddings",
    "num_segments": "type_vocab_size",
    "dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
    "epsilon": "layer_norm_eps",
}
# What else a configuration may say, and the only value for which this is the model.
ONLY = {
    "model_type": "bert",
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
    "tie_word_embeddings": True,
}
ARCHITECTURES = {
    "next_sentence": "BertForPreTraining",
    "masked_language": "BertForMaskedLM",
    "span": "BertForQuestionAnswering",
}
# Copies of other tensors, and a list of numbers from 0 on.
DERIVED = (
    "embeddings.position_ids",
    "cls.predictions.decoder.weight",
    "cls.predictions.decoder.bias",
)


def load_bert(folder, head=None, weights=True, new_heads=False, **options):
    """Reads BERT from a folder of Hugging Face: `config.json` and `model.safetensors`.

    Needs the `safetensors` library (`pip install kzoo[bert]`). The folder's tokenizer is
    `kzoo.text.BertTokenizer.from_folder(folder)`.

    Args:
        folder: The folder.
        head: Optional function from the encoder to a model with one of the heads of
            `kzoo.models.bert_heads`, whose weights are then read, too. Weights of heads that the
            model has not are left aside, so that a new head can be trained instead.
        weights: Whether weights are read; False gives a new model of the same sizes.
        new_heads: Whether a head that the folder has no weights of begins with new ones, as where a
            published encoder is pretrained further; else that is an error.
        **options: Arguments of `bert` in place of what the folder says, such as `dropout`. Where
            the folder has no weights for a `pooled` output, `pools=True` gives it new ones.

    Returns:
        A model of `kzoo.models.bert`, or what `head` returns. There is no `pooled` output where
        the folder has no weights for it.

    Raises:
        ValueError: A file is missing or cannot be read, the configuration is not one of BERT, or a
            tensor is missing, unexpected or has another shape; the message names all of them.

    Example:

    >>> from kzoo.models import bert_masked_language_model, create_model
    >>> save_bert(bert_masked_language_model(create_model("bert_tiny", vocabulary_size=20)), "tiny")
    >>> load_bert("tiny").output["sequence"].shape
    (None, None, 128)
    >>> load_bert("tiny", head=bert_masked_language_model).output["masked_language"].shape
    (None, None, 20)
    """
    folder = Path(folder)
    sizes = _read_sizes(folder / CONFIG)
    arrays = _read_arrays(folder / WEIGHTS)
    holds_pooler = any(name.startswith(POOLER) for name in arrays)
    options = {"pools": holds_pooler, **options}
    encoder = bert(**{**sizes, **options})
    model = encoder if head is None else head(encoder)
    if not weights:
        return model
    # The head may leave the pooling out, so the encoder is filled for itself.
    expected = {**encoder_tensors(encoder), **head_tensors(model)}
    if not holds_pooler:
        expected = {name: x for name, x in expected.items() if not name.startswith(POOLER)}
    if new_heads:
        absent = tuple(x for x in HEADS if not any(name.startswith(x) for name in arrays))
        expected = {name: x for name, x in expected.items() if not name.startswith(absent)}
    if not options["pools"]:
        arrays = {name: x for name, x in arrays.items() if not name.startswith(POOLER)}
    _check_tensors(folder, arrays, expected, model)
    for name, (variable, is_transposed) in expected.items():
        variable.assign(arrays[name].T if is_transposed else arrays[name])
    return model


def save_bert(model, folder):
    """Writes a model of BERT as a folder that Hugging Face's libraries and `load_bert` read.

    Other files in the folder stay as they are.

    Args:
        model: A model of `kzoo.models.bert`, with or without one of the heads.
        folder: The folder; it is made where it is missing.

    Raises:
        ValueError: The model classifies the mean of the steps, for which the format has no word.

    Example:

    >>> from kzoo.models import create_model
    >>> save_bert(create_model("bert_tiny", vocabulary_size=20), "tiny")
    >>> sorted(path.name for path in Path("tiny").iterdir())
    ['config.json', 'model.safetensors']
    """
    from safetensors.numpy import save_file

    config = json.dumps(_describe(model), indent=2) + "\n"
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    heads = head_tensors(model)
    prefix = "bert." if heads else ""
    tensors = {f"{prefix}{name}": value for name, value in encoder_tensors(model).items()} | heads
    arrays = {
        name: np.ascontiguousarray(_to_numpy(variable).T if is_transposed else _to_numpy(variable))
        for name, (variable, is_transposed) in tensors.items()
    }
    # Transformers refuses a file that does not say which framework's layout it has.
    _replace(folder / WEIGHTS, lambda draft: save_file(arrays, draft, metadata={"format": "pt"}))
    _replace(folder / CONFIG, lambda draft: draft.write_text(config, encoding="utf-8"))


def _read_sizes(path):
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"`folder` must hold a readable {path.name}. Received: {path}: {error}"
        ) from error
    for key, value in ONLY.items():
        if config.get(key, value) != value:
            raise ValueError(f"{path}: `{key}` must be {value!r}. Received: {key}={config[key]!r}")
    missing = [key for key in SIZES.values() if key not in config]
    if missing:
        raise ValueError(f"{path} must hold {missing}. Received: {sorted(config)}")
    activation = config.get("hidden_act", "gelu")
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"{path}: `hidden_act` must be one of {list(ACTIVATIONS)}. "
            f"Received: hidden_act={activation!r}"
        )
    sizes = {ours: config[theirs] for ours, theirs in SIZES.items()}
    return {**sizes, "activation": ACTIVATIONS[activation]}


def _read_arrays(path):
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ImportError as error:
        raise ImportError("`load_bert` needs safetensors: pip install kzoo[bert]") from error
    try:
        arrays = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(
            f"`folder` must hold a readable {path.name}. Received: {path}: {error}"
        ) from error
    return {_modern(name): array for name, array in arrays.items()}


def _modern(name):
    """Returns a tensor's name without the prefix of models with heads, and without older words."""
    name = name.removeprefix("bert.")
    for old, new in ((".gamma", ".weight"), (".beta", ".bias")):
        if name.endswith(f"LayerNorm{old}"):
            name = name.removesuffix(old) + new
    return name


def _check_tensors(folder, arrays, expected, model):
    # Weights of a head that the model has not.
    others = tuple(prefix for prefix, layer in HEADS.items() if not has_layer(model, layer))
    missing = sorted(expected.keys() - arrays.keys())
    unexpected = sorted(
        name
        for name in arrays.keys() - expected.keys() - set(DERIVED)
        if not name.startswith(others)
    )
    wrong = []
    for name in sorted(expected.keys() & arrays.keys()):
        variable, is_transposed = expected[name]
        shape = tuple(variable.shape)[::-1] if is_transposed else tuple(variable.shape)
        if arrays[name].shape != shape:
            wrong.append(f"{name}: {shape} expected, {arrays[name].shape} came")
    if missing or unexpected or wrong:
        raise ValueError(
            f"{folder / WEIGHTS} must hold the tensors of its {CONFIG}. Received: "
            f"missing={missing}, unexpected={unexpected}, of another shape={wrong}"
        )


def _describe(model):
    """Returns the configuration of a model."""
    first = blocks(model)[0]
    embedding, attention = model.get_layer("embedding"), first.attention
    theirs = {ours: key for key, ours in reversed(ACTIVATIONS.items())}
    sizes = {
        "vocabulary_size": embedding.input_dim,
        "embedding_dim": embedding.output_dim,
        "num_heads": attention.num_heads,
        "hidden_dim": first.feed_forward.hidden_dim,
        "num_layers": len(blocks(model)),
        "max_length": model.get_layer("positions").max_length,
        "num_segments": model.get_layer("segments").input_dim,
        "dropout": first.dropout.rate,
        "attention_dropout": attention.dropout.rate,
        "epsilon": first.epsilon,
    }
    config = {
        "architectures": [_architecture(model)],
        "model_type": "bert",
        "hidden_act": theirs[first.feed_forward.activation],
        "initializer_range": 0.02,
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
        **{SIZES[ours]: value for ours, value in sizes.items()},
    }
    if has_layer(model, "probabilities"):
        num_classes = model.get_layer("probabilities").units
        config["id2label"] = {str(index): f"LABEL_{index}" for index in range(num_classes)}
        config["label2id"] = {f"LABEL_{index}": index for index in range(num_classes)}
    return config


def _architecture(model):
    for layer, architecture in ARCHITECTURES.items():
        if has_layer(model, layer):
            return architecture
    if has_layer(model, "probabilities"):
        is_tagger = len(model.get_layer("probabilities").output.shape) == 3
        if not is_tagger and not has_layer(model, "pooled"):
            raise ValueError(
                "`model` must classify its `pooled` output, for the format knows no other "
                "classifier. Received: one that classifies the mean of the steps"
            )
        return "BertForTokenClassification" if is_tagger else "BertForSequenceClassification"
    return "BertModel"


def _to_numpy(variable):
    return ops.convert_to_numpy(variable).astype("float32")


def _replace(path, write):
    """Writes a file that at no moment is half-written."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(draft)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
