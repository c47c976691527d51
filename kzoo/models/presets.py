"""The registered classifiers: each preset is one call with literals."""

from kzoo.models.classifier import sequence_classifier, text_classifier
from kzoo.models.registry import register_model

# Pooling "max" and a bidirectional encoder are the factories' own defaults.
register_model("text_simple_rnn", text_classifier, cell="simple_rnn", units=128)
register_model("text_lstm", text_classifier, cell="lstm", units=128)
register_model("text_gru", text_classifier, cell="gru", units=128)
register_model("text_sru", text_classifier, cell="sru", units=128)
register_model("text_sru_small", text_classifier, cell="sru", embedding_dim=64, units=64)
register_model("sequence_lstm", sequence_classifier, cell="lstm", units=64)
register_model("sequence_gru", sequence_classifier, cell="gru", units=64)
register_model("sequence_sru", sequence_classifier, cell="sru", units=64)
