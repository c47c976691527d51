"""The names that Hugging Face gives to the weights of BERT."""

# What a head's tensors begin with, and the layer that a model has where it has this head.
HEADS = {
    "cls.predictions.": "masked_language",
    "cls.seq_relationship.": "next_sentence",
    "classifier.": "probabilities",
    "qa_outputs.": "span",
}


def encoder_tensors(model):
    """Returns `{name: (variable, whether its matrix is transposed)}` of the encoder."""
    embedding = model.get_layer("embedding")
    tensors = {
        "embeddings.word_embeddings.weight": (embedding.embeddings, False),
        "embeddings.position_embeddings.weight": (model.get_layer("positions").embeddings, False),
        "embeddings.token_type_embeddings.weight": (model.get_layer("segments").embeddings, False),
        **_normalization("embeddings.LayerNorm", model.get_layer("normalization")),
    }
    for index, block in enumerate(blocks(model)):
        prefix = f"encoder.layer.{index}"
        attention, feed_forward = block.attention, block.feed_forward
        tensors |= {
            **_dense(f"{prefix}.attention.self.query", attention.query_projection),
            **_dense(f"{prefix}.attention.self.key", attention.key_projection),
            **_dense(f"{prefix}.attention.self.value", attention.value_projection),
            **_dense(f"{prefix}.attention.output.dense", attention.output_projection),
            **_normalization(f"{prefix}.attention.output.LayerNorm", block.attention_normalization),
            **_dense(f"{prefix}.intermediate.dense", feed_forward.hidden_projection),
            **_dense(f"{prefix}.output.dense", feed_forward.output_projection),
            **_normalization(f"{prefix}.output.LayerNorm", block.feed_forward_normalization),
        }
    if has_layer(model, "pooled"):
        tensors |= _dense("pooler.dense", model.get_layer("pooled"))
    return tensors


def head_tensors(model):
    """Returns the same of the heads that a model has."""
    tensors = {}
    if has_layer(model, "masked_language"):
        prefix = "cls.predictions"
        tensors[f"{prefix}.bias"] = (model.get_layer("masked_language").bias, False)
        transform = f"{prefix}.transform"
        tensors |= _dense(f"{transform}.dense", model.get_layer("masked_language_dense"))
        tensors |= _normalization(
            f"{transform}.LayerNorm", model.get_layer("masked_language_normalization")
        )
    for prefix, layer in HEADS.items():
        if layer != "masked_language" and has_layer(model, layer):
            tensors |= _dense(prefix.rstrip("."), model.get_layer(layer))
    return tensors


def blocks(model):
    """Returns the blocks of a model of BERT, in order."""
    return [layer for layer in model.layers if layer.name.startswith("block_")]


def has_layer(model, name):
    """Returns whether a model has a layer of this name."""
    return any(layer.name == name for layer in model.layers)


def _dense(name, layer):
    # A matrix there is (outputs, inputs).
    return {f"{name}.weight": (layer.kernel, True), f"{name}.bias": (layer.bias, False)}


def _normalization(name, layer):
    return {f"{name}.weight": (layer.gamma, False), f"{name}.bias": (layer.beta, False)}
