"""What the recipes of BERT are made of: tokenizer, rows, batches, model, measures, report."""

import keras
import numpy as np
from keras import ops

import kzoo
from kzoo.export import VerificationError
from kzoo.models import bert_pretrainer, load_bert, save_bert
from kzoo.recipes.parts import report, run_folder
from kzoo.text import BertTokenizer
from kzoo.training import (
    AdversarialAdamW,
    LayerwiseAdamW,
    LinearWarmup,
    MaskedBatches,
    filled_rows,
    sentence_pairs,
    single_lines,
)

ROWS = ("lines", "filled", "pairs")
SIZES = ("embedding_dim", "num_heads", "hidden_dim", "num_layers")
# Through six layers in int8 a probability that is in doubt moves further than through one.
TOLERANCES = {"dynamic": 0.2}


def read_tokenizer(texts, knobs, truncation_side="right"):
    """Returns the tokenizer of the folder, or a new one; it cuts rows where the knobs say."""
    cut = dict(max_length=knobs.max_length, truncation_side=truncation_side)
    if knobs.folder is not None:
        config = BertTokenizer.from_folder(knobs.folder).get_config()
        return BertTokenizer(**{**config, **cut})
    return BertTokenizer.train(
        texts,
        knobs.vocabulary_size,
        lowercase=knobs.lowercase,
        strip_accents=knobs.strip_accents,
        **cut,
    )


def read_encoder(knobs, tokenizer, dropout, pools, weights=True):
    """Returns the encoder of the folder, with or without its weights, or a new one.

    Raises:
        ValueError: if it has fewer positions than the knobs ask for.
    """
    options = dict(dropout=dropout, attention_dropout=dropout, pools=pools)
    if knobs.folder is not None:
        encoder = load_bert(knobs.folder, weights=weights, **options)
    else:
        options |= dict(vocabulary_size=tokenizer.vocabulary_size, max_length=knobs.max_length)
        encoder = kzoo.create_model(knobs.model, **options)
    check_positions(encoder, knobs.max_length)
    return encoder


def check_positions(model, max_length):
    """Raises ValueError if a model has fewer positions than rows are long."""
    positions = model.get_layer("positions").max_length
    if max_length > positions:
        raise ValueError(f"`max_length` must be at most {positions}. Received: {max_length}")


def read_documents(text, tokenizer):
    """Returns a text as a list of documents, lists of lines of ids; a blank line ends a document.

    Example:

    >>> from kzoo.text import BertTokenizer
    >>> tokenizer = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"])
    >>> read_documents("a b\\na\\n\\n\\nb", tokenizer)
    [[[5, 6], [5]], [[6]]]
    """
    documents = [[]]
    for line in text.split("\n"):
        if ids := tokenizer.tokenize(line):
            documents[-1].append(ids)
        elif not line.strip() and documents[-1]:
            documents.append([])
    return [document for document in documents if document]


def masked_batches(text, tokenizer, knobs, shuffle):
    """Returns the data set of a part of the corpus."""
    documents = read_documents(text, tokenizer)
    if knobs.rows == "lines":
        texts = single_lines(documents, knobs.max_length - 2)
    elif knobs.rows == "filled":
        texts = filled_rows(documents, knobs.max_length - 2)
    else:

        def texts(epoch):
            rng = np.random.default_rng([knobs.seed, epoch])
            return sentence_pairs(documents, knobs.max_length - 3, rng)

    return MaskedBatches(
        texts,
        tokenizer,
        knobs.batch_tokens,
        knobs.max_length,
        knobs.mask_rate,
        knobs.whole_words,
        shuffle,
        knobs.seed,
    )


def head(knobs):
    """Returns the function that adds the heads of pretraining to an encoder."""
    return lambda encoder: bert_pretrainer(encoder, next_sentence=knobs.rows == "pairs")


def create_pretrainer(knobs, vocabulary_size):
    """Builds the encoder with its heads, or goes on with the folder's.

    Without the next sentence there is no pooled output.

    Raises:
        ValueError: if there are sizes beside a folder, which has its own.
    """
    options = dict(dropout=knobs.dropout, attention_dropout=knobs.dropout)
    options["pools"] = knobs.rows == "pairs"
    sizes = {name: getattr(knobs, name) for name in SIZES if getattr(knobs, name) is not None}
    if knobs.folder is not None:
        for name, size in sizes.items():
            raise ValueError(
                f"`{name}` must be left out where `folder` is given. Received: {name}={size}"
            )
        model = load_bert(knobs.folder, head=head(knobs), new_heads=True, **options)
        check_positions(model, knobs.max_length)
        return model
    options |= dict(vocabulary_size=vocabulary_size, max_length=knobs.max_length, **sizes)
    return head(knobs)(kzoo.create_model(knobs.model, **options))


def optimizer(knobs, steps, factors=None, adversarial=0.0):
    """Returns AdamW whose learning rate grows, and then falls to zero after so many steps.

    Args:
        knobs: Of the recipe.
        steps: Number of training steps.
        factors: As of `LayerwiseAdamW`.
        adversarial: Where not 0, the `step_length` of `AdversarialAdamW`.
    """
    schedule = LinearWarmup(knobs.learning_rate, int(knobs.warmup * steps), steps)
    rules = schedule, knobs.weight_decay, factors
    options = dict(epsilon=1e-6, global_clipnorm=knobs.clip_norm)
    if adversarial:
        return AdversarialAdamW(*rules, adversarial, **options)
    return LayerwiseAdamW(*rules, **options)


def layer_factors(model, decay, head=1.0):
    """Returns for each layer what its learning rate is multiplied by.

    The last block has the factor 1, each layer below it `decay` times that of the one above, and
    all that is new `head`.

    Example:

    >>> model = kzoo.create_model("bert_tiny", vocabulary_size=9)
    >>> layer_factors(model, 0.5)["block_0"], layer_factors(model, 0.5)["embedding"]
    (0.5, 0.25)
    """
    blocks = [layer.name for layer in model.layers if layer.name.startswith("block_")]
    depths = {name: len(blocks) - 1 - index for index, name in enumerate(blocks)}
    below = ("embedding", "segments", "positions", "normalization")
    depths |= dict.fromkeys(below, len(blocks))
    new = {layer.name: head for layer in model.layers if layer.name not in depths}
    return {**new, **{name: decay**depth for name, depth in depths.items()}}


def losses(model):
    """Returns the loss of each output, a mean over what is guessed."""
    return {
        name: keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="mean_with_sample_weight"
        )
        for name in model.output
    }


def monitored(model):
    """Returns the name that Keras gives to the perplexity of the validation part."""
    return "val_perplexity" if len(model.output) == 1 else "val_masked_language_perplexity"


def measure(model, batches):
    """Returns loss and accuracy of the guesses, and of the next sentence where there is one."""
    scores = model.evaluate(batches, verbose=0, return_dict=True)
    scores = {name.removeprefix("masked_language_"): value for name, value in scores.items()}
    row = _row(np.log(scores["perplexity"]), scores["accuracy"])
    if batches.pairs is not None:
        row["next sentence loss"] = f"{scores['next_sentence_loss']:.4f}"
    return row


def frequency_floor(batches, measured):
    """Returns what guessing by frequency reaches: of pieces in training, on the measured part."""
    counts = np.ones(batches["train"].tokenizer.vocabulary_size)
    for row in batches["train"].rows:
        np.add.at(counts, row[1:-1], 1)
    counts[list(batches["train"].tokenizer.special_ids)] = 1
    part, guessed = batches[measured], []
    for index in range(len(part)):
        _, targets, weights = part[index]
        guessed.append(targets["masked_language"][weights["masked_language"] > 0])
    guessed = np.concatenate(guessed)
    losses = -np.log(counts / counts.sum())[guessed]
    return _row(losses.mean(), np.mean(guessed == counts.argmax()))


def _row(loss, accuracy):
    return {
        "masked loss": f"{loss:.4f}",
        "perplexity": f"{np.exp(loss):.1f}",
        "masked accuracy": f"{100 * accuracy:.2f}",
    }


def save(model, tokenizer, folder):
    """Writes model and tokenizer as a folder of Hugging Face."""
    save_bert(model, folder)
    tokenizer.save_folder(folder)


def check_equal(model, again, inputs):
    """Raises VerificationError unless both models give the same."""
    outputs = [ops.convert_to_numpy(each(inputs)["masked_language"]) for each in (model, again)]
    difference = float(np.abs(outputs[0] - outputs[1]).max())
    if not difference < 1e-5:
        raise VerificationError(f"the folder differs from the model by {difference}")


def guesses(model, tokenizer, batches, count=5):
    """Returns texts with `[MASK]`, what was there, and the likeliest pieces, as strings."""
    inputs, targets, weights = batches[min(1, len(batches) - 1)]
    logits = ops.convert_to_numpy(model(inputs)["masked_language"])
    lines = []
    for row in range(min(count, len(logits))):
        ids = inputs["ids"][row][inputs["mask"][row] > 0]
        lines.append(tokenizer.detokenize(ids.tolist()))
        for slot in np.flatnonzero(weights["masked_language"][row]):
            best = np.argsort(-logits[row, slot])[:3]
            right = tokenizer.vocabulary[targets["masked_language"][row, slot]]
            lines.append(f"    {right}: {', '.join(tokenizer.vocabulary[id] for id in best)}")
    return lines


def write_report(out, data, measured, knobs, rows, history, lines):
    """Prints the table, and writes it, `report.md` and the picture into `out`."""
    report.print_table(f"{data.name}, {measured} part", rows)
    names = [name.removeprefix("val_") for name in history[0] if name.startswith("val_")]
    name = next(name for name in names if name.endswith("accuracy"))
    report.plot_learning_curve([history], ("loss", name), out / "learning_curve.png")
    minutes = sum(epoch["seconds"] for epoch in history) / 60
    shown = "\n".join(lines)
    text = f"""# {data.name}

{len(data.train):,} training and {len(data.validation):,} validation characters. Licence of the
data: {data.licence}. Training took {minutes:.1f} minutes over {len(history)} epochs; the weights
are those of the epoch with the lowest validation perplexity.

{report.markdown_table(rows)}

Measured on the {measured} part, over the ids that were guessed. The most frequent piece is what a
model knows that reads nothing.

Texts of the validation part, what stood at each `[MASK]` or changed piece, and three guesses:

```
{shown}
```

![Learning curve](learning_curve.png)

## Settings

{report.settings(knobs)}
"""
    run_folder.write_report(out, text, rows)
    print(shown)
    print(f"The model is in {out / 'bert'}, the report in {out / 'report.md'}")
