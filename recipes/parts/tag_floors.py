"""What a tagger must beat: the most frequent tag of a word, and a linear tagger."""

import collections

from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import SGDClassifier

NUM_FEATURES = 2**20
WINDOW = 2
LONGEST_AFFIX = 4


def most_frequent_tags(train, sentences):
    """Tags each word as it is tagged most often; unknown ones as most words are.

    Args:
        train: `kzoo.data.TaggedSentences`.
        sentences: List of lists of words.

    Returns:
        List of lists of tags.

    Example:

    >>> from kzoo.data import TaggedSentences
    >>> train = TaggedSentences([["a", "dog"], ["a", "cat"]], [["DET", "NOUN"], ["DET", "NOUN"]])
    >>> most_frequent_tags(train, [["a", "cow"]])
    [['DET', 'DET']]
    """
    counts, everywhere = collections.defaultdict(collections.Counter), collections.Counter()
    for words, tags in zip(train.words, train.tags, strict=True):
        everywhere.update(tags)
        for word, tag in zip(words, tags, strict=True):
            counts[word][tag] += 1
    default = everywhere.most_common(1)[0][0]
    best = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
    return [[best.get(word, default) for word in words] for words in sentences]


def linear_tags(train, sentences):
    """Tags each word by logistic regression on the words and affixes around it.

    Args:
        train: `kzoo.data.TaggedSentences`.
        sentences: List of lists of words.

    Returns:
        List of lists of tags.

    Example:

    >>> from kzoo.data import TaggedSentences
    >>> train = TaggedSentences([["a", "dog"], ["the", "cat"]], [["DET", "NOUN"], ["DET", "NOUN"]])
    >>> linear_tags(train, [["the", "dog"]])
    [['DET', 'NOUN']]
    """
    hasher = FeatureHasher(NUM_FEATURES, input_type="string", alternate_sign=False)
    # Logistic regression by averaged stochastic gradient descent: other solvers take an hour.
    model = SGDClassifier("log_loss", alpha=1e-6, max_iter=15, tol=None, average=True, n_jobs=2)
    model.set_params(random_state=0)
    rows = (word for words in train.words for word in _features(words))
    model.fit(hasher.transform(rows), [tag for tags in train.tags for tag in tags])
    found = []
    predicted = model.predict(
        hasher.transform(word for words in sentences for word in _features(words))
    ).tolist()
    for words in sentences:
        found.append(predicted[: len(words)])
        del predicted[: len(words)]
    return found


def _features(words):
    """The features of every word of a sentence."""
    padded = ["<s>"] * WINDOW + list(words) + ["</s>"] * WINDOW
    spelled = [_spelling(word) for word in padded]
    for place in range(WINDOW, WINDOW + len(words)):
        features = ["bias", f"case {_case(padded[place])}"]
        for distance in range(-WINDOW, WINDOW + 1):
            features.append(f"{distance} word {padded[place + distance].lower()}")
            if abs(distance) < 2:
                features += [f"{distance} {part}" for part in spelled[place + distance]]
            if distance < WINDOW:
                pair = " ".join(padded[place + distance : place + distance + 2])
                features.append(f"{distance} pair {pair.lower()}")
        yield features


def _spelling(word):
    """The beginnings and the ends of a word."""
    lengths = range(1, min(LONGEST_AFFIX, len(word)) + 1)
    return [f"begins {word[:n]}" for n in lengths] + [f"ends {word[-n:]}" for n in lengths]


def _case(word):
    kinds = (str.isupper, str.istitle, str.isdigit, str.isalpha, str.isalnum, str.isspace)
    return "".join("01"[kind(word)] for kind in kinds)
