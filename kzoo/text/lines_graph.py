"""Texts of many lines by TensorFlow operations, for a SavedModel of a language model."""

from kzoo.text.detokenize_graph import detokenize_graph
from kzoo.text.tokenizer import END_ID, PAD_ID


def tokenize_prompts_graph(tokenizer, prompts, max_length=None):
    """Return what `tokenize_prompts` gives for a string tensor.

    Args:
        tokenizer: a `kzoo.text.Tokenizer`.
        prompts: string tensor `(batch,)` of UTF-8.
        max_length: number of ids at most; the first ones of a longer prompt are left out.

    Returns:
        int32 tensor `(batch, longest)`, padded with 0 on the right.

    Example:

    >>> from kzoo.text import ByteTokenizer
    >>> tokenize_prompts_graph(ByteTokenizer(), ["a\\nb", ""]).numpy().tolist()
    [[3, 101, 3, 102], [3, 0, 0, 0]]
    """
    import tensorflow as tf

    lines = tf.strings.split(prompts, "\n")
    ids = tokenizer.tokenize_graph(lines.flat_values).with_row_splits_dtype("int64")
    ids = tf.concat([tf.fill([ids.nrows(), 1], END_ID), ids], axis=1)
    rows = lines.with_flat_values(ids).merge_dims(1, 2)
    return rows[:, -(max_length or 0) :].to_tensor(PAD_ID)


def detokenize_lines_graph(tokenizer, ids):
    """Return what `detokenize_lines` gives for every row of ids.

    Args:
        tokenizer: a `kzoo.text.Tokenizer`.
        ids: int32 tensor `(batch, time)`; `[PAD]` and `[START]` vanish.

    Returns:
        String tensor `(batch,)` of UTF-8.

    Example:

    >>> from kzoo.text import ByteTokenizer
    >>> detokenize_lines_graph(ByteTokenizer(), [[101, 3, 102], [101, 0, 0]]).numpy().tolist()
    [b'a\\nb', b'a']
    """
    import tensorflow as tf

    ids = tf.convert_to_tensor(ids)
    # An end is the first id of its line, and vanishes.
    lines = tf.cumsum(tf.cast(ids == END_ID, "int64"), axis=1)
    counts = tf.reduce_max(lines, axis=1) + 1
    lines += tf.cumsum(counts, exclusive=True)[:, None]
    rows = tf.RaggedTensor.from_value_rowids(
        tf.reshape(ids, [-1]), tf.reshape(lines, [-1]), nrows=tf.reduce_sum(counts)
    )
    texts = detokenize_graph(tokenizer, rows.to_tensor(PAD_ID))
    # A separator would be left out after lines that are empty.
    texts = tf.RaggedTensor.from_row_lengths("\n" + texts, counts)
    texts = tf.strings.reduce_join(texts, axis=-1)
    return tf.strings.regex_replace(texts, "^\n", "", replace_global=False)
