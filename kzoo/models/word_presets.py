"""The registered models of word vectors."""

from kzoo.models.registry import register_model
from kzoo.models.word_vectors import cbow, skip_gram

register_model("skip_gram", skip_gram)
register_model("cbow", cbow)
