"""What the recipe of word vectors is made of: models, batches, optimizers, measures, baseline."""

import keras
import numpy as np
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

import kzoo
from kzoo.recipes.parts.word_scores import analogy_scores, correlation
from kzoo.text import TaggingTokenizer, WordTokenizer, WordVectors
from kzoo.text.tokenizer import SPECIAL_TOKENS
from kzoo.training import (
    Cooccurrences,
    GloVeLoss,
    NegativeSamplingLoss,
    NextWords,
    SparseAdagrad,
    WordWindows,
)

# Batches that Keras runs at once: it takes about as long to begin one as a small one takes.
STEPS = 16


def print_sizes(data, vocabulary, sentences):
    """Prints how many words there are."""
    count = sum(int((ids > 3).sum()) for ids in sentences)
    print(f"{data.name}: {count:,} words in {len(sentences):,} lines, {len(vocabulary):,} vectors")


def make_tokenizer(knobs, vocabulary):
    """Returns the tokenizer of a vocabulary; that of FastText spells its words too."""
    if knobs.model != "fast_text":
        return WordTokenizer(vocabulary, lowercase=True)
    words = [[word] for word in vocabulary[len(SPECIAL_TOKENS) :]]
    letters = TaggingTokenizer.train(words, min_count=1, jamo=knobs.jamo).characters
    return TaggingTokenizer(vocabulary, letters, jamo=knobs.jamo)


def create_model(knobs, tokenizer):
    """Builds the model; FastText's learns how words are spelled."""
    sizes = dict(vocabulary_size=tokenizer.vocabulary_size, embedding_dim=knobs.embedding_dim)
    if knobs.model == "fast_text":
        model = kzoo.create_model(knobs.model, **sizes, num_buckets=knobs.num_buckets)
        words = [[word] for word in tokenizer.vocabulary]
        letters = tokenizer(words)["characters"][:, 0]
        letters[: len(SPECIAL_TOKENS)] = 0
        model.get_layer("word_vectors").adapt(letters)
        return model
    if knobs.model == "nnlm":
        sizes |= dict(order=knobs.window + 1, units=knobs.units)
    return kzoo.create_model(knobs.model, **sizes)


def batches(knobs, sentences, vocabulary_size):
    """Returns the data set of a model."""
    if knobs.model == "nnlm":
        return NextWords(sentences, knobs.window + 1, knobs.batch_size or 512, knobs.seed)
    if knobs.model == "glove":
        size = knobs.batch_size or 2048
        return Cooccurrences(sentences, vocabulary_size, knobs.window, size, knobs.seed)
    return WordWindows(
        sentences,
        vocabulary_size,
        knobs.model == "cbow",
        knobs.window,
        knobs.negatives,
        knobs.sample,
        knobs.batch_size or (64 if knobs.model == "cbow" else 32),
        knobs.seed,
    )


def compile_model(model, knobs, steps):
    """Compiles a model for training of so many batches, of which Keras runs several at once.

    Never by XLA, which would move whole tables where a batch moves a few rows.
    """
    if knobs.model == "nnlm":
        optimizer = keras.optimizers.Adam(knobs.learning_rate or 2e-3)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    elif knobs.model == "glove":
        optimizer = SparseAdagrad(knobs.learning_rate or 0.05)
        # A mean would make the steps of a batch's pairs smaller than the authors'.
        loss = GloVeLoss(reduction="sum")
    else:
        rate = knobs.learning_rate or 0.025
        schedule = keras.optimizers.schedules.PolynomialDecay(rate, steps, rate / 250)
        optimizer, loss = keras.optimizers.SGD(schedule), NegativeSamplingLoss()
    model.compile(optimizer, loss, jit_compile=False, steps_per_execution=STEPS)


def term_document_vectors(vocabulary, sentences, embedding_dim):
    """Returns the vectors of latent semantic analysis: TF-IDF of words in lines, and its best rank.

    Source: Deerwester et al. 1990, "Indexing by Latent Semantic Analysis" (JASIS 41).
    """
    lengths = [len(ids) for ids in sentences]
    counts = csr_matrix(
        (np.ones(sum(lengths), "float32"), np.concatenate(sentences), np.cumsum([0, *lengths])),
        shape=(len(sentences), len(vocabulary)),
    )
    counts.sum_duplicates()
    weights = TfidfTransformer(sublinear_tf=True).fit_transform(counts[:, len(SPECIAL_TOKENS) :])
    rank = min(embedding_dim, *(size - 1 for size in weights.shape))
    table = TruncatedSVD(rank, random_state=0).fit_transform(weights.T)
    return WordVectors(vocabulary[len(SPECIAL_TOKENS) :], table)


def tests(data, folder):
    """Returns the similarities and the analogies of a text's language, by name; none offline."""
    if folder is None:
        return {}, {}
    if is_korean(data.train):
        return {}, {"analogies_ko": kzoo.data.load_analogies("analogies_ko", folder)}
    pairs = {name: kzoo.data.load_similarities(name, folder) for name in ("wordsim_353", "rg_65")}
    return pairs, {"analogies_en": kzoo.data.load_analogies("analogies_en", folder)}


def is_korean(text):
    """Returns whether there is Hangul in the beginning of a text.

    Example:

    >>> is_korean("영화"), is_korean("film")
    (True, False)
    """
    return any("가" <= character <= "힣" for character in text[:10000])


def scores(vectors, tests):
    """Returns the cells of a row of the table: correlations, and solved analogies in percent."""
    pairs, analogies = tests
    cells = {}
    for name, rows in pairs.items():
        rho, count = correlation(vectors, rows)
        cells[f"{name}, {count} pairs"] = f"{rho:.4f}"
    for name, kinds in analogies.items():
        found = np.array(list(analogy_scores(vectors, kinds).values())).sum(axis=0)
        cells[f"{name}, {found[1]} known"] = f"{100 * found[0] / max(found[1], 1):.2f} %"
    return cells
