"""Write a Keras language model as a SavedModel that reads, steps and writes texts."""

import numpy as np

from kzoo.export.atomic import atomic_folder
from kzoo.export.errors import VerificationError
from kzoo.export.language_cases import language_cases
from kzoo.export.language_programs import LanguagePrograms
from kzoo.export.sampling_cases import DRAWING
from kzoo.export.saved_model import SAMPLE_TEXTS
from kzoo.export.search import make_search
from kzoo.export.seq2seq_verification import run_signatures
from kzoo.export.step_programs import graph
from kzoo.export.trace import require_tensorflow_backend, write_graphs
from kzoo.export.write import LanguageWriter
from kzoo.text.lines_graph import detokenize_lines_graph, tokenize_prompts_graph

# What writes texts, by what writes ids.
TEXT_SIGNATURES = {"greedy": "greedy_text", "sample": "sample_text"}


def export_language_saved_model(
    model,
    path,
    *,
    start_id,
    end_id=None,
    max_length=64,
    beam_size=4,
    num_results=None,
    length_penalty=0.0,
    banned_ids=(),
    tokenizer=None,
    inputs=None,
):
    """Write a language model as a SavedModel folder that was loaded and compared with the model.

    It has the signatures of `export_language_model`, the state of `prefill` and `step` by the same
    names and shapes. With a tokenizer, `greedy_text` and `sample_text` take strings `(batch,)`
    named `text`, the second one `seed`, `temperature`, `top_k`, `top_p` and `repetition_penalty`
    too, and give `text`, what comes after each, and `scores`. `path` holds the whole verified
    folder in the end, or is left as it was.

    Args:
        model: see `export_language_model`.
        path: folder to write; an older SavedModel there is replaced, anything else is refused.
        start_id: see `export_language_model`.
        end_id: see `export_language_model`.
        max_length: see `export_language_model`.
        beam_size: see `export_language_model`.
        num_results: see `export_language_model`.
        length_penalty: see `export_language_model`.
        banned_ids: see `export_language_model`.
        tokenizer: a `kzoo.text.Tokenizer`, or None.
        inputs: see `export_language_model`.

    Returns:
        Largest absolute difference from the Keras model over all batches that were compared.

    Raises:
        ExportError: the folder cannot be written, or the model has no such decoder.
        VerificationError: the folder does not compute what the model computes.

    Example:

    >>> import keras
    >>> from kzoo.export import ExportError, export_language_saved_model
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="dense")
    >>> try:
    ...     export_language_saved_model(model, "folder", start_id=3)
    ... except ExportError as error:
    ...     print(str(error)[:50])
    model: expected a keras.Model with a layer 'decode
    """
    require_tensorflow_backend()
    search = make_search(
        start_id, end_id, max_length, beam_size, num_results, length_penalty, banned_ids
    )
    programs = LanguagePrograms(model, search)
    return write_saved_model(path, programs, *language_cases(programs, inputs), tokenizer)


def write_saved_model(path, programs, reference, cases, tokenizer, lowering="auto"):
    """Write the folder of `export_language_saved_model` from programs and what they must give."""
    with atomic_folder(path, lambda folder: (folder / "saved_model.pb").is_file()) as partial:
        functions, _ = programs.trace(lowering)
        texts = {}
        if tokenizer is not None:
            texts = {
                text_name: _writing(programs, functions[name], name, tokenizer)
                for name, text_name in TEXT_SIGNATURES.items()
            }
        tables = [] if tokenizer is None else [tokenizer.graph_module]
        write_graphs({**functions, **texts}, str(partial), tables)
        signatures = _load(partial)
        manifest = {"precision": "float32", "language": programs.search.describe()}
        runtimes = {name: signatures[name] for name in functions}
        largest = run_signatures(path, "SavedModel", runtimes, manifest, reference, cases)
        if tokenizer is not None:
            _compare_texts(path, _SavedModelWriter(signatures, programs, tokenizer))
    return largest


def _writing(programs, function, name, tokenizer):
    """Returns the `tf.function` from texts to texts of a signature from ids to ids."""
    import tensorflow as tf

    _, *others = programs.inputs[name]
    end_id = programs.search.end_id

    def serve(text, *arguments):
        prompt_ids = tokenize_prompts_graph(tokenizer, text, programs.max_prompt_length)
        outputs = function(prompt_ids, *arguments)
        ids = outputs["ids"]
        if end_id is not None:
            ended = tf.cumsum(tf.cast(ids == end_id, "int32"), axis=1) > 0
            ids = tf.where(ended, 0, ids)
        # The space between a prompt and what comes after it is seen with both at hand only.
        prompt = detokenize_lines_graph(tokenizer, prompt_ids)
        whole = detokenize_lines_graph(tokenizer, tf.concat([prompt_ids, ids], axis=1))
        begin, length = (tf.strings.length(x, "UTF8_CHAR") for x in (prompt, whole))
        written = tf.strings.substr(whole, tf.minimum(begin, length), length, "UTF8_CHAR")
        return {"text": written, "scores": outputs["scores"]}

    return graph(serve, [("text", (None,), "string"), *others])


class _Signature:
    """A signature of a SavedModel, from arrays to arrays by name."""

    def __init__(self, function):
        self._function = function

    def run(self, inputs, output_shapes=None):
        """Returns outputs by name; finds the output shapes by itself."""
        import tensorflow as tf

        outputs = self._function(**{name: tf.constant(x) for name, x in inputs.items()})
        return {name: x.numpy() for name, x in outputs.items()}


def _load(folder):
    import tensorflow as tf

    signatures = tf.saved_model.load(str(folder)).signatures
    return {name: _Signature(function) for name, function in signatures.items()}


class _SavedModelWriter(LanguageWriter):
    """Goes on with texts as the predictors do, by the signatures from ids to ids."""

    def __init__(self, signatures, programs, tokenizer):
        sizes = {n: getattr(programs, n) for n in ("vocabulary_size", "max_prompt_length")}
        super().__init__({**programs.search.describe(), **sizes}, tokenizer)
        self.signatures = signatures

    def run(self, signature, inputs):
        """Runs one signature on arrays by name."""
        return self.signatures[signature].run(inputs)


def _compare_texts(path, writer):
    prompts = [*SAMPLE_TEXTS, "a\nb\n"]
    seed = np.arange(len(prompts), dtype="int32")
    options = {name: value.item() for name, value in DRAWING.items()}
    for name, text_name in TEXT_SIGNATURES.items():
        arguments = {"seed": seed, **DRAWING} if name == "sample" else {}
        outputs = writer.run(text_name, {"text": prompts, **arguments})
        if [text.decode() for text in outputs["text"]] != writer(prompts, name, **options):
            raise VerificationError(f"{path}: {text_name!r} writes other texts than {name!r}")
