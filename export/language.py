"""Write a Keras language model as one verified `.tflite` file that reads, draws and searches."""

from dataclasses import fields

from kzoo.export.language_cases import language_cases
from kzoo.export.language_programs import LanguagePrograms
from kzoo.export.language_saved_model import write_saved_model
from kzoo.export.search import Search, make_search
from kzoo.export.seq2seq_verification import run_source_cases
from kzoo.export.text_files import check_outputs, write_text_files
from kzoo.export.trace import require_tensorflow_backend


def export_language_model(
    model,
    path,
    precision="float32",
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
    tolerance=None,
    lowering="auto",
    saved_model=None,
):
    """Write a language model as a `.tflite` file that was run and compared with the model.

    The file has seven signatures, which share one copy of the weights. Batch size and the prompt's
    length are dynamic in all of them; rows of prompts are padded with 0 on the right.

    - `prefill`: `prompt_ids` `(batch, time)` to `logits` `(batch, vocabulary)` after the last id of
      each row, and the state, as named tensors. Of a Transformer it is the cache of
      `kzoo.layers.TransformerDecoder`, with room for the prompt and `max_length` ids.
    - `step`: `ids` `(batch,)`, the ids chosen last, and the state, to `logits` and the state as
      `next_NAME`.
    - `draw`: `logits`, `seed` `(batch,)`, `generator` `(batch, 3)` and `chosen` `(batch,
      vocabulary)`, zeros before the first step, `temperature`, `top_k`, `top_p` and
      `repetition_penalty`, to `ids`, `next_generator` and `next_chosen`: what `sample` draws, for a
      client that shows a text while it is written.
    - `greedy`: `prompt_ids` to `ids` `(batch, max_length)`, `lengths` and `scores` `(batch,)`.
    - `sample`: `prompt_ids`, `seed` `(batch,)`, `temperature`, `top_k`, `top_p` and
      `repetition_penalty` to the same, as `kzoo.decoding.sample` with one seed a row. A `top_k` of
      the vocabulary's size, or above, and a `top_p` of 1 keep all ids; a `repetition_penalty` of 1
      changes nothing.
    - `beam`: `prompt_ids` to `ids` `(batch, num_results, max_length)`, `lengths` and `scores`, best
      first.
    - `score`: `ids` `(batch, time)` to `log_probabilities` of each id after those before it, 0 for
      the first one and for padding: `exp` of minus their mean is the perplexity.

    The file is verified with every batch of `inputs`, in LiteRT's Interpreter and CompiledModel:
    the state, the logits, the first steps, what is drawn, and the scores are those of the Keras
    model. In float32 so are the ids of `greedy`, `beam` (but for ties) and `sample`, and a loop
    over `prefill` and `step` outside of the file gives the ids of `greedy`. Rounded weights may
    let other ids win, whose scores must be right.

    Args:
        model: keras.Model with a layer "decoder", as `kzoo.models.language_model` and
            `transformer_language_model` build, on the TensorFlow backend.
        path: file to write; its folder must exist. Or a dict from precisions to such files: all
            of them are written, or none, and together they take little longer than one.
        precision: see `export_tflite`; what a dict has as its keys counts instead.
        start_id: what stands before a text: prompts begin with it.
        end_id: what ends a text; without, every text has `max_length` ids.
        max_length: number of ids after which a text ends anyway. A model with learned positions has
            as many for prompt and text together.
        beam_size: number of live hypotheses of `beam`.
        num_results: number of hypotheses that `beam` gives, `beam_size` by default.
        length_penalty: exponent of `kzoo.decoding.gnmt_length_penalty`; 0 for none.
        banned_ids: ids that are never chosen.
        tokenizer: object with `to_json()`, for the bundle.
        inputs: real prompts, ids `(rows, time)`, to verify with, padded with 0.
        tolerance: see `export_seq2seq`.
        lowering: how a prompt is read by recurrent layers, see `export_tflite`.
        saved_model: folder for what `export_language_saved_model` writes, too; together they take
            little longer than the files. It comes first: if it fails, there are no files.

    Returns:
        `Verification`, or for a dict the list of them; its latency is that of `greedy` for one row.

    Raises:
        ExportError: the model has no such decoder, or cannot be converted.
        VerificationError: the file does not compute what the model computes.

    Example:

    >>> import keras
    >>> from kzoo.export import ExportError, export_language_model
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="dense")
    >>> try:
    ...     export_language_model(model, "model.tflite", start_id=3)
    ... except ExportError as error:
    ...     print(str(error)[:50])
    model: expected a keras.Model with a layer 'decode
    """
    require_tensorflow_backend()
    paths = check_outputs(path, precision, tokenizer=tokenizer)
    search = make_search(
        start_id, end_id, max_length, beam_size, num_results, length_penalty, banned_ids
    )
    programs = LanguagePrograms(model, search)
    reference, cases = language_cases(programs, inputs)
    if saved_model is not None:
        write_saved_model(saved_model, programs, reference, cases, tokenizer, lowering)
    manifest = {
        "max_length": programs.max_prompt_length,
        "language": {
            **search.describe(),
            "vocabulary_size": programs.vocabulary_size,
            "max_prompt_length": programs.max_prompt_length,
            "state": [tensor.name for tensor in programs.state],
        },
    }
    files = write_text_files(
        programs, paths, manifest, reference, cases, lowering, tolerance, (tokenizer, None)
    )
    return files if isinstance(path, dict) else files[0]


def verify_language_model(path, bundle, model, inputs=None, tolerance=None):
    """Run a file of `export_language_model` against the Keras model; see `verify`."""
    settings = bundle.manifest["language"]
    names = [field.name for field in fields(Search)]
    programs = LanguagePrograms(model, make_search(**{name: settings[name] for name in names}))
    return run_source_cases(path, path, bundle, *language_cases(programs, inputs), tolerance)
