"""The `kzoo` command: models by recipe, from data to files that run."""

import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

import tyro

RECIPES = (
    *("anomaly_detection", "bert_finetune", "bert_pretrain", "bert_tagging", "captioning"),
    *("chatbot", "embeddings", "fault_detection", "forecasting", "language", "recognition"),
    *("sentiment", "tagging", "translation", "vector_to_sequence"),
)


@dataclass
class List:
    """List models, data sets and recipes."""

    # Shell pattern that the names must match.
    pattern: tyro.conf.Positional[str] = "*"

    def run(self):
        """Prints the names."""
        import fnmatch

        import kzoo

        kinds = (
            *("corpora", "datasets", "dialogues", "digits"),
            *("faults", "series", "speech", "tagging", "translations"),
        )
        names = {name for kind in kinds for name in getattr(kzoo.data, f"list_{kind}")()}
        # The one set of melodies has a loader of its own, which takes no name.
        groups = {
            "models": kzoo.list_models(),
            "data sets": sorted(names | {"jsb_chorales"}),
            "recipes": RECIPES,
        }
        for title, names in groups.items():
            print(f"{title}:", *fnmatch.filter(names, self.pattern), sep="\n  ")


@dataclass
class Train:
    """Train a model by a recipe; `kzoo train RECIPE --help` shows the recipe's options."""

    # The recipe.
    recipe: tyro.conf.Positional[Literal[RECIPES]]

    def run(self):
        """Runs the recipe with its default options."""
        train(self.recipe, [])


@dataclass
class Export:
    """Convert a saved Keras model, plain or with kzoo's layers, to a verified `.tflite` file."""

    # The model: a `.keras` file.
    model: tyro.conf.Positional[Path]
    # The file to write.
    output: tyro.conf.Positional[Path]
    # Precision of the weights.
    precision: Literal["float32", "float16", "dynamic"] = "float32"
    # A tokenizer's JSON file, to put into the `.tflite` file.
    tokenizer: Path | None = None
    # Class names in the order of the outputs.
    labels: tuple[str, ...] = ()
    # Longest sequence the model takes.
    max_length: int | None = None
    # How recurrent layers walk time; what each layer got is printed.
    lowering: Literal["auto", "loop", "scan", "unrolled", "fused"] = "auto"
    # Fixes the number of rows, which "fused" needs.
    batch_size: int | None = None
    # Writes a step model that takes so many time steps at a call, with named states that the caller
    # keeps.
    chunk_size: int | None = None

    def run(self):
        """Writes the file and prints how it compares."""
        write = self.write_whole if self.chunk_size is None else self.write_streaming
        print_verification(write())

    def write_whole(self):
        """Writes a file that takes whole sequences."""
        from kzoo.export import export_tflite
        from kzoo.text import load_tokenizer

        return export_tflite(
            load_model(self.model),
            self.output,
            self.precision,
            tokenizer=load_tokenizer(self.tokenizer) if self.tokenizer else None,
            labels=self.labels or None,
            max_length=self.max_length,
            lowering=self.lowering,
            batch_size=self.batch_size,
        )

    def write_streaming(self):
        """Writes a file that takes sequences chunk by chunk."""
        from kzoo.export import export_streaming

        for name in ("tokenizer", "max_length", "batch_size"):
            if (value := getattr(self, name)) is not None:
                raise ValueError(
                    f"`{name}` must be left out where `chunk_size` is given. "
                    f"Received: {name}={str(value)!r}"
                )
        return export_streaming(
            load_model(self.model),
            self.output,
            self.chunk_size,
            self.precision,
            labels=self.labels or None,
            lowering=self.lowering,
        )


@dataclass
class Verify:
    """Run a `.tflite` file in both LiteRT runtimes and compare it with the Keras model."""

    # The `.tflite` file.
    file: tyro.conf.Positional[Path]
    # The model it was made from: a `.keras` file.
    model: tyro.conf.Positional[Path]
    # Largest difference allowed; by default that of the file's precision.
    tolerance: float | None = None

    def run(self):
        """Prints the comparison; a difference above the tolerance is an error."""
        from kzoo.export import verify

        print_verification(verify(self.file, load_model(self.model), tolerance=self.tolerance))


Command = (
    Annotated[List, tyro.conf.subcommand("list")]
    | Annotated[Train, tyro.conf.subcommand("train")]
    | Annotated[Export, tyro.conf.subcommand("export")]
    | Annotated[Verify, tyro.conf.subcommand("verify")]
)


def main(arguments=None):
    """Runs the command; what the user can mend ends it with one line and status 1."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if len(arguments) > 1 and arguments[0] == "train" and arguments[1] in RECIPES:
        train(arguments[1], arguments[2:])
        return
    from kzoo.recipes.parts.command_line import plain_words
    from kzoo.recipes.parts.commands import FileCommand

    command = tyro.cli(Command | FileCommand, prog="kzoo", description=__doc__, args=arguments)
    with plain_words():
        command.run()


def train(recipe, arguments):
    """Runs a recipe with the arguments of its own command line."""
    from kzoo.recipes.parts.command_line import run

    run(import_module(f"kzoo.recipes.{recipe}"), arguments)


def load_model(path):
    """Loads a Keras model; importing kzoo's layers registers them."""
    import keras

    import_module("kzoo.layers")
    return keras.saving.load_model(path)


def print_verification(verification):
    """Prints what was verified, one fact a line."""
    shapes = "; ".join(str(shape) for shape in verification.latency_shapes.values())
    print(f"{verification.path}: {verification.size_bytes:,} bytes")
    print(f"largest difference {verification.max_difference:.2e} of {verification.tolerance:g}")
    print(f"{len(verification.cases)} batches in {' and '.join(verification.runtimes)}")
    print(f"{verification.latency_ms:.3f} ms at {shapes}")
    if verification.lowering:
        picked = (f"{layer} {name}" for layer, name in verification.lowering.items())
        print(f"lowering: {', '.join(picked)}")
    print(f"operators: {', '.join(verification.operators)}")


if __name__ == "__main__":
    main()
