"""The registered models: each preset is one call with literals."""

from kzoo.models.classifier import sequence_classifier, text_classifier
from kzoo.models.registry import register_model
from kzoo.models.seq2seq import seq2seq

# Pooling "max" and a bidirectional encoder are the factories' own defaults.
register_model("text_simple_rnn", text_classifier, cell="simple_rnn", units=128)
register_model("text_lstm", text_classifier, cell="lstm", units=128)
register_model("text_gru", text_classifier, cell="gru", units=128)
register_model("text_sru", text_classifier, cell="sru", units=128)
register_model("text_sru_small", text_classifier, cell="sru", embedding_dim=64, units=64)
register_model("sequence_lstm", sequence_classifier, cell="lstm", units=64)
register_model("sequence_gru", sequence_classifier, cell="gru", units=64)
register_model("sequence_sru", sequence_classifier, cell="sru", units=64)

# The context vector alone, as in Sutskever et al. 2014 (LSTM) and Cho et al. 2014 (GRU).
register_model("seq2seq_lstm", seq2seq, cell="lstm", bidirectional=False, attention=None)
register_model("seq2seq_gru", seq2seq, cell="gru", bidirectional=False, attention=None)
register_model("seq2seq_gru_bahdanau", seq2seq, cell="gru", attention="bahdanau")
register_model("seq2seq_lstm_luong", seq2seq, cell="lstm", attention="luong_general")
