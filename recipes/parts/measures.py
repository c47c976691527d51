"""Measures of written text: BLEU, chrF and token F1, and the floor of the nearest sentence."""

import collections

import numpy as np
import sacrebleu
from sklearn.feature_extraction.text import TfidfVectorizer

from kzoo.text.words import split_words


def bleu_metrics():
    """Returns the metrics of a translation: name to `(sacreBLEU metric, what it reads of a text)`.

    "BLEU" is sacreBLEU's own: cased, tokenizer 13a (Post 2018, arXiv 1804.08771). "BLEU, words" is
    in the manner of tutorials that never leave their own tokens: lowercased, and split by
    `kzoo.text.words`. It is not comparable with the first. "chrF" counts characters (Popovic 2015)
    and is the fairer one to Korean.
    """
    # "force" keeps sacreBLEU from complaining about text that is tokenized on purpose.
    words = sacrebleu.BLEU(tokenize="none", force=True)
    return {
        "BLEU": (sacrebleu.BLEU(), str),
        "BLEU, words": (words, lambda text: " ".join(split_words(text.lower()))),
        "chrF": (sacrebleu.CHRF(), str),
    }


def translation_scores(translations, references):
    """Scores translations, one reference each.

    Returns:
        Dict from the names of `bleu_metrics` to strings.

    Example:

    >>> translation_scores(["A man sleeps."], ["A man sleeps."])
    {'BLEU': '100.00', 'BLEU, words': '100.00', 'chrF': '100.00'}
    """
    scores = {}
    for name, (metric, read) in bleu_metrics().items():
        texts = [read(text) for text in translations]
        scores[name] = f"{_score(metric, texts, [read(text) for text in references]).score:.2f}"
    return scores


def bleu(translations, references):
    """Returns the cased corpus BLEU of sacreBLEU, in percent."""
    return _score(sacrebleu.BLEU(), translations, references).score


def translation_notes():
    """Returns sentences that say how each measure was computed, with sacreBLEU's signatures.

    Example:

    >>> translation_notes()[0].split(":2")[0]
    '- BLEU: sacreBLEU, `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version'
    """
    notes = []
    for name, (metric, read) in bleu_metrics().items():
        _score(metric, ["a"], ["a"])
        how = "" if read is str else " of lowercased text, split by kzoo.text.words"
        notes.append(f"- {name}: sacreBLEU{how}, `{metric.get_signature()}`")
    return notes


def _score(metric, texts, references):
    return metric.corpus_score(texts, [references])


def token_f1(answers, references):
    """Returns the mean F1 between the words of an answer and those of its reference, in percent.

    Words are lowercased and may repeat: F1 = 2 |A and R| / (|A| + |R|), of bags A and R.

    Example:

    >>> token_f1(["the cat sat", "yes"], ["The cat sat down", "no"])
    42.857142857142854
    """
    return 100 * float(np.mean([_f1(*pair) for pair in zip(answers, references, strict=True)]))


def _f1(answer, reference):
    bags = [collections.Counter(split_words(text.lower())) for text in (answer, reference)]
    total = bags[0].total() + bags[1].total()
    return 2 * (bags[0] & bags[1]).total() / total if total else 1.0


def nearest_targets(train, sources, batch_size=512):
    """Returns for each source the target of the most similar source in training.

    Similar by TF-IDF of n-grams of 1 to 4 characters, the first of equals: what a model that writes
    must beat.

    Args:
        train: `kzoo.data.TextPairs`.
        sources: List of texts.
        batch_size: Sources compared at once.

    Example:

    >>> from kzoo.data import TextPairs
    >>> nearest_targets(TextPairs(["a dog", "a cat"], ["ein Hund", "eine Katze"]), ["two dogs"])
    ['ein Hund']
    """
    vectorizer = TfidfVectorizer(
        analyzer="char", ngram_range=(1, 4), sublinear_tf=True, dtype=np.float32
    )
    known = vectorizer.fit_transform(train.sources).T.tocsr()
    asked = vectorizer.transform(sources)
    found = []
    for start in range(0, len(sources), batch_size):
        similarity = asked[start : start + batch_size] @ known
        found += np.asarray(similarity.argmax(axis=1)).ravel().tolist()
    return [train.targets[index] for index in found]
