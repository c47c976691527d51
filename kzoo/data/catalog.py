"""The table of text classification sets: where each lies, how its rows read, whose it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """How one data set lies on disk.

    Attributes:
        folder: the set's own directory inside the folder of all data.
        files: the file of each official split, named without `.gz` or `.xz`.
        columns: the fields of a row, in order. A column called `split` says for each row whether it
            is of train or test.
        labels: the words in the label column, in the order of the class numbers.
        class_names: what the classes mean, in the same order.
        licence: the terms under which the authors give the set.
        text: name of the column that holds the text.
        label: name of the column that holds the label.
        header: whether the first line must name the columns.
        separator: what stands between fields.
        treebank: whether the words of a text are split as in the Penn Treebank; they are joined.
        embedded: whether the files come with kzoo.
    """

    folder: str
    files: dict[str, str]
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    class_names: tuple[str, ...]
    licence: str
    text: str = "text"
    label: str = "label"
    header: bool = False
    separator: str = "\t"
    treebank: bool = False
    embedded: bool = False


_BINARY = ("0", "1")
_SENTIMENT = ("negative", "positive")


def _spam(**where):
    return Source(
        columns=("label", "text"),
        labels=("ham", "spam"),
        class_names=("ham", "spam"),
        licence="CC BY 4.0",
        **where,
    )


def _sentences(class_names, treebank=False, **files):
    """A set of `sentence_cls_en`: a class number, a space, words already split at spaces."""
    return Source(
        folder="sentence_cls_en",
        files=files,
        columns=("label", "text"),
        separator=" ",
        treebank=treebank,
        labels=tuple(str(number) for number in range(len(class_names))),
        class_names=class_names,
        licence="research use, cite the authors of the corpus (no formal licence)",
    )


SOURCES = {
    "sentiment_ko": Source(
        folder="embedded",
        files={"train": "sentiment_ko.tsv"},
        columns=("split", "text", "label"),
        header=True,
        labels=_BINARY,
        class_names=_SENTIMENT,
        licence="CC0 1.0",
        embedded=True,
    ),
    "spam_en": _spam(folder="embedded", files={"train": "spam_en.tsv"}, embedded=True),
    "sms_spam": _spam(folder="sms_spam", files={"train": "sms.tsv"}),
    # 1,609 test texts, mostly of a word or two, also occur in train. The published split is kept.
    "nsmc": Source(
        folder="nsmc_rebuilt",
        files={"train": "train.tsv", "test": "test.tsv"},
        columns=("id", "document", "label"),
        text="document",
        header=True,
        labels=_BINARY,
        class_names=_SENTIMENT,
        licence="CC0 1.0",
    ),
    # More than half of the texts hold `<br />`.
    "imdb": Source(
        folder="imdb",
        files={"train": "train.tsv", "test": "test.tsv"},
        columns=("label", "rating", "text"),
        header=True,
        labels=_BINARY,
        class_names=_SENTIMENT,
        licence="research use, cite Maas et al. 2011 (no formal licence)",
    ),
    "hate_ko": Source(
        folder="hate_ko_beep",
        files={"train": "train.tsv"},
        columns=("comments", "contain_gender_bias", "bias", "hate"),
        text="comments",
        label="hate",
        header=True,
        labels=("none", "offensive", "hate"),
        class_names=("none", "offensive", "hate"),
        licence="CC BY-SA 4.0",
    ),
    # Its rows partly occur in hate_ko: never test one with the other. The files call the label
    # `lable` and give 0 to the malicious comments.
    "malicious_ko": Source(
        folder="malicious_ko",
        files={"train": "all.tsv"},
        columns=("content", "lable"),
        text="content",
        label="lable",
        header=True,
        labels=("1", "0"),
        class_names=("clean", "malicious"),
        licence="MIT, some rows CC BY-SA 4.0",
    ),
    "intent_ko": Source(
        folder="intent_ko_3i4k",
        files={"train": "train_val.tsv"},
        columns=("label", "text"),
        labels=("0", "1", "2", "3", "4", "5", "6"),
        class_names=(
            "fragment",
            "statement",
            "question",
            "command",
            "rhetorical question",
            "rhetorical command",
            "intonation-dependent",
        ),
        licence="CC BY-SA 4.0",
    ),
    "sst2": _sentences(
        _SENTIMENT,
        treebank=True,
        train="stsa.binary.train.txt",
        validation="stsa.binary.dev.txt",
        test="stsa.binary.test.txt",
    ),
    "sst5": _sentences(
        ("very negative", "negative", "neutral", "positive", "very positive"),
        treebank=True,
        train="stsa.fine.train.txt",
        validation="stsa.fine.dev.txt",
        test="stsa.fine.test.txt",
    ),
    "trec": _sentences(
        ("description", "entity", "abbreviation", "human", "location", "number"),
        treebank=True,
        train="TREC.train.all.txt",
        test="TREC.test.all.txt",
    ),
    # sst2 derives from mr: never test one with the other.
    "mr": _sentences(_SENTIMENT, train="rt-polarity.all.txt"),
    "subj": _sentences(("subjective", "objective"), train="subj.all.txt"),
    "mpqa": _sentences(_SENTIMENT, train="mpqa.all.txt"),
}
