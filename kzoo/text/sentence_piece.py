"""Pieces of whole sentences as tokens: SentencePiece, unigram or byte-pair."""

import base64
import hashlib
import io
import re

import sentencepiece

from kzoo.text.checks import check_at_least, check_bool, check_share, read_texts
from kzoo.text.tokenizer import SPECIAL_TOKENS, Tokenizer

# A longer run without spaces is cut: that keeps sums of scores exact in float32, and the byte-pair
# kernel of tensorflow_text from quadratic time. RE2 gets slow at 500. These spaces are the ASCII
# ones that SentencePiece knows, so the vertical tab is none.
_SPACES = r"\t\n\f\r "
_RUN = f"[^{_SPACES}]{{1,200}}"
_PYTHON_RUN = re.compile(_RUN)


class SentencePieceTokenizer(Tokenizer):
    """Splits raw text, spaces included, into the pieces of a SentencePiece model.

    Normalisation (NFKC, and lower case where it was trained so) is a part of the model. `[UNK]`
    stands for characters that the model has never seen. A run of more than 200 characters without a
    space is cut by a space after each 200. Source: Kudo and Richardson 2018,
    arXiv:1808.06226.

    Args:
        proto: the model, as bytes or as a base64 string, with pad, unk, bos and eos ids 0 to 3.

    Example:

    >>> tokenizer = SentencePieceTokenizer.train(["a good film", "a bad film"], 20)
    >>> tokenizer.detokenize(tokenizer.tokenize("a bad good film"))
    'a bad good film'
    """

    name = "sentence_piece"

    def __init__(self, proto):
        if not isinstance(proto, str | bytes) or not proto:
            raise ValueError(f"proto: expected bytes or a base64 string, came {proto!r}")
        try:
            self.proto = base64.b64decode(proto, validate=True) if isinstance(proto, str) else proto
            self._model = sentencepiece.SentencePieceProcessor(model_proto=self.proto)
            size = self._model.vocab_size()
        except (ValueError, RuntimeError) as error:
            raise ValueError(
                f"proto: expected a SentencePiece model, came {proto!r:.80}"
            ) from error
        model = self._model
        ids = [model.pad_id(), model.unk_id(), model.bos_id(), model.eos_id()]
        if ids != [0, 1, 2, 3]:
            raise ValueError(f"proto: expected pad, unk, bos, eos ids [0, 1, 2, 3], came {ids}")
        super().__init__([model.id_to_piece(id) for id in range(size)])

    @classmethod
    def train(
        cls,
        texts,
        vocabulary_size,
        lowercase=False,
        algorithm="unigram",
        character_coverage=0.9995,
    ):
        """Return a tokenizer with a model trained on a corpus.

        Args:
            texts: iterable of str.
            vocabulary_size: int, the largest size, the four special tokens included.
            lowercase: whether upper case is folded to lower case.
            algorithm: "unigram" (Kudo 2018, arXiv:1804.10959) or "bpe" (Sennrich et al. 2016,
                arXiv:1508.07909).
            character_coverage: share of all characters in the corpus that must be known; the
                rarest ones beyond it stay unknown.

        Raises:
            ValueError: if the corpus is empty, or its characters alone need more ids.
        """
        check_at_least("vocabulary_size", vocabulary_size, len(SPECIAL_TOKENS) + 1)
        if algorithm not in ("unigram", "bpe"):
            raise ValueError(f"algorithm: expected 'unigram' or 'bpe', came {algorithm!r}")
        check_bool("lowercase", lowercase)
        check_share("character_coverage", character_coverage)
        texts = [_cut_long_runs(text) for text in read_texts(texts)]
        pad, unknown, start, end = SPECIAL_TOKENS
        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(texts),
                model_writer=model,
                model_type=algorithm,
                vocab_size=vocabulary_size,
                hard_vocab_limit=False,
                character_coverage=character_coverage,
                normalization_rule_name="nmt_nfkc_cf" if lowercase else "nmt_nfkc",
                max_sentence_length=2**30,  # longer ones would be left out without a word
                pad_id=0,
                unk_id=1,
                bos_id=2,
                eos_id=3,
                pad_piece=pad,
                unk_piece=unknown,
                bos_piece=start,
                eos_piece=end,
                unk_surface=unknown,
                minloglevel=2,
            )
        except RuntimeError as error:
            raise ValueError(
                f"texts, vocabulary_size: SentencePiece cannot learn vocabulary_size="
                f"{vocabulary_size} from these {len(texts)} texts: {error}"
            ) from error
        return cls(_round_scores(model.getvalue()))

    def sample(self, text, alpha=0.1):
        """Return the ids of one random segmentation, for subword regularization in training.

        With unigram pieces a segmentation x is drawn with P(x) ~ p(x)^alpha (Kudo 2018); with
        byte pairs each merge is dropped with probability alpha (Provilkov et al. 2020,
        arXiv:1910.13267). The draws are those of `sentencepiece.set_random_generator_seed`.
        """
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha: expected a number in [0, 1], came {alpha!r}")
        return self._model.encode(
            self._normalize(text), enable_sampling=True, alpha=alpha, nbest_size=-1
        )

    def sample_batch(self, texts, alpha=0.1, seed=0):
        """Return the ids of one random segmentation of each text, the same for the same seed."""
        sentencepiece.set_random_generator_seed(seed)
        return [self.sample(text, alpha) for text in texts]

    def get_config(self):
        """Return the constructor's argument as a base64 string."""
        return {"proto": base64.b64encode(self.proto).decode()}

    def _normalize(self, text):
        return _cut_long_runs(super()._normalize(text))

    def _tokenize(self, text):
        return self._model.encode(text)

    def _build_graph(self, module):
        import tensorflow_text
        from sentencepiece import sentencepiece_model_pb2

        super()._build_graph(module)
        # Between segmentations of equal score tensorflow_text's port of SentencePiece chooses
        # otherwise than the Python package; its fast variant agrees, but knows no byte pairs.
        trainer = sentencepiece_model_pb2.ModelProto.FromString(self.proto).trainer_spec
        if trainer.model_type == trainer.UNIGRAM:
            module.pieces = tensorflow_text.FastSentencepieceTokenizer(self.proto)
        else:
            module.ports = []

    def _pieces_graph(self):
        """Returns the tokenizer of tensorflow_text."""
        import tensorflow as tf
        import tensorflow_text

        module = self.graph_module
        if hasattr(module, "pieces"):
            return module.pieces
        # The model of this one goes with TensorFlow's kernels, as in keras.utils.clear_session, so
        # that every graph needs its own. In SavedModels it is found by its name, wherever it is.
        name = f"sentence_piece_{hashlib.sha256(self.proto).hexdigest()}"
        with tf.init_scope():
            port = tensorflow_text.SentencepieceTokenizer(self.proto, tf.int32, name=name)
        if not tf.executing_eagerly():
            module.ports.append(port)
        return port

    def _tokenize_graph(self, texts):
        import tensorflow as tf

        # No piece goes across a space, so runs can be taken one by one.
        runs = tf.strings.regex_replace(texts, f"({_RUN})|[{_SPACES}]+", r"\1 ")
        runs = tf.strings.split(runs, " ")
        return self._pieces_graph().tokenize(runs).merge_dims(1, 2)

    def _detokenize(self, ids):
        return self._model.decode(ids)


def _cut_long_runs(text):
    return " ".join(_PYTHON_RUN.findall(text))


def _round_scores(proto):
    """Round the scores of a model to 1/64, so that float32 adds them without error.

    Else rounding decides between segmentations of equal score ("!!" + "!" or "!" + "!!"), and the
    Python package and tensorflow_text may each decide otherwise.
    """
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto.FromString(proto)
    for piece in model.pieces:
        piece.score = round(piece.score * 64) / 64
    return model.SerializeToString()
