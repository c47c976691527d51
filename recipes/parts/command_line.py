"""The command line of a recipe: a dataclass of knobs, whose comments are the help text."""

import contextlib
import dataclasses
import logging
import sys
import warnings
from pathlib import Path

import tyro

import kzoo
from kzoo.export import ExportError
from kzoo.export.runtimes import end_quietly

# Knobs that count something; most would be found wrong after training only.
COUNTS = ("epochs", "stream_epochs", "members", "num_beams", "length", "top_k", "count")


def run(recipe, arguments=None):
    """Runs a recipe module: parses its command line, then calls its `main`.

    What the user can mend is a missing folder, a broken file or a wrong value; see `plain_words`.
    """
    prog = f"kzoo train {Path(recipe.__file__).stem}"
    names = presets(recipe.MODELS)
    knobs = parse(recipe.Knobs, recipe.SETTINGS, recipe.__doc__, arguments, prog, names)
    logging.getLogger("tensorflow").addFilter(_matters)
    with plain_words():
        check(recipe, knobs, names)
        recipe.main(knobs)


@contextlib.contextmanager
def plain_words():
    """What a command says of itself: errors that the user can mend and warnings, a line each.

    Such an error ends the process with status 1. A warning names no line of the source.

    Example:

    >>> with plain_words():
    ...     raise ValueError("`rate` must be below 1. Received: rate=2")
    Traceback (most recent call last):
    SystemExit: kzoo: `rate` must be below 1. Received: rate=2
    """
    end_quietly()
    before = warnings.formatwarning
    warnings.formatwarning = lambda message, category, *_: f"{category.__name__}: {message}\n"
    try:
        yield
    except (ValueError, OSError, ExportError) as error:
        sys.exit(f"kzoo: {error}")
    finally:
        warnings.formatwarning = before


def check(recipe, knobs, names):
    """Raises ValueError for knobs with which a recipe would fail, some of them in its last minute.

    Args:
        recipe: The module.
        knobs: An instance of its `Knobs`.
        names: Presets of its model.
    """
    for name in COUNTS:
        if (count := getattr(knobs, name, 1)) < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={count}")
    if not (temperature := getattr(knobs, "temperature", 1)) > 0:
        raise ValueError(f"`temperature` must be above 0. Received: temperature={temperature}")
    if not 0 < (top_p := getattr(knobs, "top_p", 1)) <= 1:
        raise ValueError(f"`top_p` must be in (0, 1]. Received: top_p={top_p}")
    if knobs.model not in names:
        raise ValueError(
            f"`model` must be one of {names}, or a word of one. Received: model={knobs.model!r}"
        )
    if hasattr(recipe, "STREAMS"):
        streams = list(dict.fromkeys([recipe.Knobs.stream, *presets(recipe.STREAMS)]))
        if knobs.stream not in streams:
            raise ValueError(f"`stream` must be one of {streams}. Received: {knobs.stream!r}")


def _matters(record):
    """Whether a line of TensorFlow's log is news: batches of other sizes are traced anew here."""
    return "triggered tf.function retracing" not in record.getMessage()


def presets(patterns):
    """Returns the names of the presets that match one of some shell patterns, in their order.

    Example:

    >>> presets(["bert_tiny", "bert_[bt]*"])
    ['bert_tiny', 'bert_base']
    """
    return list(dict.fromkeys(name for one in patterns for name in kzoo.list_models(one)))


def complete(name, names, default):
    """Returns the preset that a word of its name stands for, or the name as it is.

    Args:
        name: A preset, or words that stand together in the name of one.
        names: List of presets.
        default: The preset that is taken if the words fit it. If not, it is the one with the fewest
            words; of equals one that begins as the default does, and of these the first.

    Example:

    >>> names = presets(["text*", "sequence*"])
    >>> [complete(name, names, "text_sru") for name in ("sequence_gru", "sru", "lstm", "elman")]
    ['sequence_gru', 'text_sru', 'text_lstm', 'elman']
    """
    if name in names:
        return name
    kind = default.split("_")[0]

    def rank(preset):
        return preset != default, preset.count("_"), not preset.startswith(kind)

    return min((one for one in names if f"_{name}_" in f"_{one}_"), key=rank, default=name)


def parse(knobs, settings, description, arguments=None, prog=None, names=()):
    """Parses the command line into a dataclass.

    Args:
        knobs: The dataclass; its field `dataset` names the data set.
        settings: Dict from data set, or from `(data set, model)`, to the knobs it sets in place of
            the class's defaults; what both set is as the pair has it. The command line overrides
            all of them.
        description: Text of the help page.
        arguments: List of arguments; by default those of the process.
        prog: What the help page calls the command; by default the name of the process.
        names: Presets, each of which `--model` may also call by a word of its name.

    Returns:
        An instance of `knobs`. Unknown options end the process with a message and status 2.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    defaults = {field.name: field.default for field in dataclasses.fields(knobs)}
    dataset = _value(arguments, "dataset", defaults.get("dataset"))
    usual = settings.get(dataset, {}).get("model", defaults.get("model"))
    model = complete(_value(arguments, "model", usual), names, usual)
    default = knobs(**{**settings.get(dataset, {}), **settings.get((dataset, model), {})})
    if names:
        description = f"{description}\nPresets for --model: {', '.join(names)}."
    parsed = tyro.cli(knobs, prog=prog, args=arguments, default=default, description=description)
    return dataclasses.replace(parsed, model=complete(parsed.model, names, usual))


def _value(arguments, option, default):
    """Returns the last value of an option, before anything else is parsed."""
    found = default
    for index, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name == f"--{option}":
            found = value or (arguments[index + 1] if index + 1 < len(arguments) else None)
    return found
