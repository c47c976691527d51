"""The registered models of word vectors."""

from kzoo.models.glove import glove
from kzoo.models.nnlm import nnlm
from kzoo.models.registry import register_model
from kzoo.models.word_vectors import cbow, fast_text, skip_gram

register_model("skip_gram", skip_gram)
register_model("cbow", cbow)
register_model("fast_text", fast_text)
register_model("glove", glove)
register_model("nnlm", nnlm)
