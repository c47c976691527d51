"""The registered models: each preset is one call with literals."""

from kzoo.models.anomaly import anomaly_scorer
from kzoo.models.captioner import captioner
from kzoo.models.classifier import (
    sequence_classifier,
    sequence_labeller,
    sequence_regressor,
    text_classifier,
)
from kzoo.models.forecaster import forecaster
from kzoo.models.language_model import language_model, transformer_language_model
from kzoo.models.recognizer import ctc_recognizer
from kzoo.models.registry import register_model
from kzoo.models.seq2seq import seq2seq
from kzoo.models.tagger import tagger
from kzoo.models.transformer import transformer_seq2seq
from kzoo.models.vector_to_sequence import vector_to_sequence

# Pooling "max" and a bidirectional encoder are the factories' own defaults.
register_model("text_simple_rnn", text_classifier, cell="simple_rnn", units=128)
register_model("text_lstm", text_classifier, cell="lstm", units=128)
register_model("text_gru", text_classifier, cell="gru", units=128)
register_model("text_sru", text_classifier, cell="sru", units=128)
register_model("text_sru_small", text_classifier, cell="sru", embedding_dim=64, units=64)
register_model("text_sru_plus_plus", text_classifier, cell="sru_plus_plus", units=128, num_layers=2)
register_model(
    "text_transformer", text_classifier, cell="transformer", units=128, num_layers=2, pooling="mean"
)
register_model("sequence_lstm", sequence_classifier, cell="lstm", units=64)
register_model("sequence_gru", sequence_classifier, cell="gru", units=64)
register_model("sequence_sru", sequence_classifier, cell="sru", units=64)
register_model("regressor_gru", sequence_regressor, cell="gru", units=64, pooling="last")
register_model("regressor_lstm", sequence_regressor, cell="lstm", units=64, pooling="last")
register_model("anomaly_gru", anomaly_scorer, cell="gru")
register_model("labeller_gru", sequence_labeller, cell="gru", units=64)
register_model("labeller_sru", sequence_labeller, cell="sru", units=64, num_layers=2)

# Lample et al. 2016, and Ma and Hovy 2016; characters are read where their vocabulary is given.
register_model("tagger_lstm_crf", tagger, cell="lstm", units=200)
register_model("tagger_lstm", tagger, cell="lstm", units=200, head="softmax")
register_model("tagger_cnn_lstm_crf", tagger, cell="lstm", units=200, character_encoder="cnn")
register_model("tagger_sru_crf", tagger, cell="sru", num_layers=2, character_encoder="sru")
register_model(
    "tagger_sru", tagger, cell="sru", num_layers=2, character_encoder="sru", head="softmax"
)
register_model(
    "tagger_transformer_crf",
    tagger,
    cell="transformer",
    num_layers=2,
    dropout=0.2,
    character_encoder="cnn",
)

# Shi, Bai and Yao 2017; those of speech hide parts of the spectra (Park et al. 2019).
register_model("ctc_ocr_lstm", ctc_recognizer, cell="lstm")
register_model("ctc_ocr_sru", ctc_recognizer, cell="sru", num_layers=2)
register_model("ctc_speech_gru", ctc_recognizer, reads="samples", cell="gru", augment={})
register_model(
    "ctc_speech_gru_stream",
    ctc_recognizer,
    reads="samples",
    causal=True,
    filters=(64, 64),
    cell="gru",
    units=128,
    augment={},
)

register_model("forecaster_gru", forecaster, cell="gru")
register_model("forecaster_lstm", forecaster, cell="lstm")
register_model("forecaster_sru", forecaster, cell="sru", num_layers=2)
# Lin et al. 2023: days of hours are read at once, and all series share the network.
register_model("forecaster_gru_segments", forecaster, segment_length=24, independent=True)
register_model("forecaster_gru_attention", forecaster, autoregressive=True)

# The context vector alone: in every step as well, or as first state alone (Sutskever et al. 2014).
register_model("seq2seq_lstm", seq2seq, cell="lstm", attention=None, feed_context=True)
register_model("seq2seq_gru", seq2seq, cell="gru", bidirectional=False, attention=None)
register_model("seq2seq_gru_bahdanau", seq2seq, cell="gru", attention="bahdanau")
register_model("seq2seq_lstm_luong", seq2seq, cell="lstm", attention="luong_general")

# Vinyals et al. 2015, and Xu et al. 2015.
register_model("captioner_show_and_tell", captioner, attention=None)
register_model("captioner_show_attend_tell", captioner, attention="bahdanau")

register_model("vector_to_sequence_lstm", vector_to_sequence, cell="lstm")
register_model("vector_to_sequence_gru", vector_to_sequence, cell="gru")

# Base and big are those of Vaswani et al. 2017, Table 3, but for the vocabulary. The small ones are
# for small data too, on which normalizing first learns in a fraction of the steps.
register_model(
    "transformer_seq2seq_tiny",
    transformer_seq2seq,
    embedding_dim=128,
    num_heads=4,
    hidden_dim=512,
    num_layers=2,
    normalize_first=True,
)
register_model(
    "transformer_seq2seq_small",
    transformer_seq2seq,
    embedding_dim=256,
    num_heads=4,
    hidden_dim=1024,
    num_layers=3,
    normalize_first=True,
)
register_model(
    "transformer_seq2seq_base",
    transformer_seq2seq,
    embedding_dim=512,
    num_heads=8,
    hidden_dim=2048,
    num_layers=6,
    dropout=0.1,
)
register_model(
    "transformer_seq2seq_big",
    transformer_seq2seq,
    embedding_dim=1024,
    num_heads=16,
    hidden_dim=4096,
    num_layers=6,
    dropout=0.3,
)

register_model("language_simple_rnn", language_model, cell="simple_rnn")
register_model("language_lstm", language_model, cell="lstm")
register_model("language_gru", language_model, cell="gru")
register_model("language_sru", language_model, cell="sru")
register_model(
    "language_transformer_gpt",
    transformer_language_model,
    positions="learned",
    activation="gelu_tanh",
    normalize_first=True,
)
register_model(
    "language_transformer_llama",
    transformer_language_model,
    num_key_value_heads=2,
    positions="rotary",
    activation="swiglu",
    normalization="rms_norm",
    normalize_first=True,
    use_bias=False,
)
