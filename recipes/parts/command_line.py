"""The command line of a recipe: a dataclass of knobs, whose comments are the help text."""

import dataclasses
import logging
import sys
from pathlib import Path

import tyro

from kzoo.export import ExportError
from kzoo.export.runtimes import end_quietly

# Knobs that count something to train.
COUNTS = ("epochs", "stream_epochs", "members")


def run(recipe, arguments=None):
    """Runs a recipe module: parses its command line, then calls its `main`.

    What the user can mend (a missing folder, a broken file, a wrong value) ends the process with
    one line and status 1.
    """
    prog = f"kzoo train {Path(recipe.__file__).stem}"
    knobs = parse(recipe.Knobs, recipe.SETTINGS, recipe.__doc__, arguments, prog)
    logging.getLogger("tensorflow").addFilter(_matters)
    end_quietly()
    try:
        for name in COUNTS:
            if (count := getattr(knobs, name, 1)) < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={count}")
        recipe.main(knobs)
    except (ValueError, OSError, ExportError) as error:
        sys.exit(f"kzoo: {error}")


def _matters(record):
    """Whether a line of TensorFlow's log is news: batches of other sizes are traced anew here."""
    return "triggered tf.function retracing" not in record.getMessage()


def parse(knobs, settings, description, arguments=None, prog=None):
    """Parses the command line into a dataclass.

    Args:
        knobs: The dataclass; its field `dataset` names the data set.
        settings: Dict from data set, or from `(data set, model)`, to the knobs it sets in place of
            the class's defaults; what both set is as the pair has it. The command line overrides
            all of them.
        description: Text of the help page.
        arguments: List of arguments; by default those of the process.
        prog: What the help page calls the command; by default the name of the process.

    Returns:
        An instance of `knobs`. Unknown options end the process with a message and status 2.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    defaults = {field.name: field.default for field in dataclasses.fields(knobs)}
    dataset, model = (_value(arguments, name, defaults.get(name)) for name in ("dataset", "model"))
    default = knobs(**{**settings.get(dataset, {}), **settings.get((dataset, model), {})})
    return tyro.cli(knobs, prog=prog, args=arguments, default=default, description=description)


def _value(arguments, option, default):
    """Returns the value of an option, before anything else is parsed."""
    for index, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name == f"--{option}":
            return value or (arguments[index + 1] if index + 1 < len(arguments) else None)
    return default
