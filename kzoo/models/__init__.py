"""Model factories by task, and the registry of presets."""

from kzoo.models import bert_presets as bert_presets
from kzoo.models import presets as presets
from kzoo.models import word_presets as word_presets
from kzoo.models.anomaly import anomaly_scorer, forecast_errors
from kzoo.models.bert import bert
from kzoo.models.bert_folder import load_bert, save_bert
from kzoo.models.bert_heads import (
    bert_classifier,
    bert_masked_language_model,
    bert_pretrainer,
    bert_question_answerer,
    bert_sentence_encoder,
    bert_tagger,
)
from kzoo.models.bert_tagging import bert_word_tagger
from kzoo.models.captioner import captioner
from kzoo.models.classifier import (
    sequence_classifier,
    sequence_labeller,
    sequence_regressor,
    text_classifier,
)
from kzoo.models.embedding_start import load_embeddings
from kzoo.models.ensemble import ensemble
from kzoo.models.forecaster import forecaster, standardized_forecaster
from kzoo.models.glove import glove
from kzoo.models.language_model import (
    LanguageModelSteps,
    language_model,
    transformer_language_model,
)
from kzoo.models.nnlm import nnlm
from kzoo.models.recognizer import ctc_decoder, ctc_recognizer, ctc_stream
from kzoo.models.registry import create_model, list_models, register_model
from kzoo.models.seq2seq import ATTENTIONS, Seq2SeqSteps, seq2seq
from kzoo.models.tagger import tag_decoder, tagger
from kzoo.models.transformer import transformer_seq2seq
from kzoo.models.vector_to_sequence import vector_to_sequence
from kzoo.models.word_finder import nearest_words, word_table
from kzoo.models.word_vectors import cbow, fast_text, skip_gram

__all__ = [
    "ATTENTIONS",
    "LanguageModelSteps",
    "Seq2SeqSteps",
    "anomaly_scorer",
    "bert",
    "bert_classifier",
    "bert_masked_language_model",
    "bert_pretrainer",
    "bert_question_answerer",
    "bert_sentence_encoder",
    "bert_tagger",
    "bert_word_tagger",
    "captioner",
    "cbow",
    "create_model",
    "ctc_decoder",
    "ctc_recognizer",
    "ctc_stream",
    "ensemble",
    "fast_text",
    "forecast_errors",
    "forecaster",
    "glove",
    "language_model",
    "list_models",
    "load_bert",
    "load_embeddings",
    "nearest_words",
    "nnlm",
    "register_model",
    "save_bert",
    "seq2seq",
    "sequence_classifier",
    "sequence_labeller",
    "sequence_regressor",
    "skip_gram",
    "standardized_forecaster",
    "tag_decoder",
    "tagger",
    "text_classifier",
    "transformer_language_model",
    "transformer_seq2seq",
    "vector_to_sequence",
    "word_table",
]
