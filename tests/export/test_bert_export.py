"""BERT as `.tflite`: names, every precision, padding, and the heads with two outputs."""

import zipfile

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import encode, number_types
from flatbuffers.table import Table

import kzoo
from kzoo.export import Export, Predictor, export_many
from kzoo.export.metadata import add_metadata
from kzoo.models import bert_classifier, bert_question_answerer, bert_sentence_encoder
from kzoo.text import BertTokenizer

SIZES = {
    "vocabulary_size": 300,
    "embedding_dim": 32,
    "num_heads": 4,
    "hidden_dim": 64,
    "num_layers": 2,
    "max_length": 64,
}
PRECISIONS = ("float32", "float16", "dynamic")
TOKENIZER = BertTokenizer(
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{n}" for n in range(295))], max_length=64
)
LABELS = ("bad", "fair", "good")


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    """What was found when each file was run and compared."""
    folder = tmp_path_factory.mktemp("bert")
    encoder = kzoo.create_model("bert_tiny", **SIZES)
    models = {
        "classifier": bert_classifier(encoder, 3),
        "question_answerer": bert_question_answerer(encoder),
        "sentence_encoder": bert_sentence_encoder(encoder),
    }
    exports = {("encoder", precision): (encoder, precision) for precision in PRECISIONS}
    exports |= {(name, "float32"): (model, "float32") for name, model in models.items()}
    results = export_many(
        [
            Export(
                model,
                folder / f"{name}_{precision}.tflite",
                precision,
                max_length=64,
                tokenizer=TOKENIZER,
                labels=LABELS if name == "classifier" else None,
            )
            for (name, _), (model, precision) in exports.items()
        ]
    )
    return dict(zip(exports, results, strict=True))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_encoder_runs_in_both_runtimes(precision, verified):
    result = verified["encoder", precision]
    assert result.runtimes == ("Interpreter", "CompiledModel")
    assert all(set(case) == {"ids", "mask", "segment_ids"} for case in result.cases)
    assert 0 < result.max_difference <= result.tolerance


@pytest.mark.parametrize("name", ["classifier", "question_answerer", "sentence_encoder"])
def test_heads_run(name, verified):
    result = verified[name, "float32"]
    assert result.max_difference <= result.tolerance
    assert len(result.cases) > 1


def test_activation_and_normalization_are_cheap(verified):
    # The exact GELU is one operator, not a polynomial or a loop.
    assert "GELU" in verified["encoder", "float32"].operators


class Reader:
    """A table of a flatbuffer, read by the places of its fields in the schema of the metadata."""

    def __init__(self, content, place):
        self.table = Table(content, place)

    @classmethod
    def root(cls, content):
        return cls(content, encode.Get(number_types.UOffsetTFlags.packer_type, content, 0))

    def _field(self, number):
        return self.table.Offset(4 + 2 * number)

    def string(self, number):
        return self.table.String(self._field(number) + self.table.Pos).decode()

    def number(self, number):
        return self.table.Get(number_types.Int8Flags, self._field(number) + self.table.Pos)

    def one(self, number):
        return Reader(self.table.Bytes, self.table.Indirect(self._field(number) + self.table.Pos))

    def many(self, number):
        offset = self._field(number)
        first, count = self.table.Vector(offset), self.table.VectorLen(offset)
        return [Reader(self.table.Bytes, self.table.Indirect(first + 4 * n)) for n in range(count)]


def test_classifier_says_what_it_reads(verified):
    """What MediaPipe's TextClassifier looks for, by the numbers of the schema's fields."""
    path = verified["classifier", "float32"].path
    content = path.read_bytes()
    model = schema.Model.GetRootAs(content, 0)
    entries = {model.Metadata(n).Name(): model.Metadata(n) for n in range(model.MetadataLength())}
    metadata = model.Buffers(entries[b"TFLITE_METADATA"].Buffer()).DataAsNumpy().tobytes()
    assert metadata[4:8] == b"M001"
    root = Reader.root(metadata)
    assert (root.string(0), root.string(7)) == ("bert_classifier", "1.1.0")
    (graph,) = root.many(3)
    signature = model.SignatureDefs(0)
    names = {
        signature.Inputs(n).TensorIndex(): signature.Inputs(n).Name().decode() for n in range(3)
    }
    places = model.Subgraphs(0).InputsAsNumpy().tolist()
    assert [tensor.string(0) for tensor in graph.many(2)] == [names[place] for place in places]
    (output,) = graph.many(3)
    (labels,) = output.many(6)
    assert (labels.string(0), labels.number(2)) == ("labels.txt", 2)
    (unit,) = graph.many(5)
    assert unit.number(0) == 4
    (vocabulary,) = unit.one(1).many(0)
    assert (vocabulary.string(0), vocabulary.number(2)) == ("vocab.txt", 5)
    with zipfile.ZipFile(path) as archive:
        assert archive.read("vocab.txt").decode().split("\n")[:-1] == TOKENIZER.vocabulary
        assert archive.read("labels.txt").decode().split("\n")[:-1] == list(LABELS)
        # MediaPipe opens no archive with packed files in it.
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_classifier_reads_texts(verified):
    predictor = Predictor(verified["classifier", "float32"].path)
    ((label, probability),) = predictor.classify(["w3 w4 w5"])
    assert label in LABELS
    assert probability > 1 / 3
    # A tokenizer without a length of its own keeps the mark at the end of what is cut, too.
    long = " ".join(f"w{n}" for n in range(100))
    expected = predictor([long])
    predictor.tokenizer = BertTokenizer(TOKENIZER.vocabulary)
    with pytest.warns(UserWarning, match="1 of 1 sequences were cut to 64 steps"):
        np.testing.assert_array_equal(predictor([long]), expected)


def test_others_say_nothing_and_are_refused(verified):
    content = verified["sentence_encoder", "float32"].path.read_bytes()
    model = schema.Model.GetRootAs(content, 0)
    names = [model.Metadata(n).Name() for n in range(model.MetadataLength())]
    assert b"TFLITE_METADATA" not in names
    content = verified["question_answerer", "float32"].path.read_bytes()
    with pytest.raises(ValueError, match=r"flatbuffer: expected the inputs .* and 2"):
        add_metadata(content, "answers")
