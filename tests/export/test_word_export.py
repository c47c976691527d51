"""Word vectors leave as files: vectors and nearest words, of unseen words too, by the command."""

import keras
import numpy as np
import pytest

import kzoo
from kzoo import cli
from kzoo.export import Export, ExportError, NeighbourFinder, Predictor, export_many, verify
from kzoo.export.verification import TOLERANCE
from kzoo.models import nearest_words, word_table
from kzoo.recipes.parts.embeddings_files import LENGTHS, TOLERANCES, compare
from kzoo.text import TaggingTokenizer, WordTokenizer, WordVectors
from kzoo.text.tokenizer import SPECIAL_TOKENS

WORDS = ["영화", "영화가", "배우", "배우는", "good", "goods", "films", "film", "아깝다", "an"]
VOCABULARY = [*SPECIAL_TOKENS, *WORDS]
PRECISIONS = ("float32", "float16", "dynamic")


def make(name):
    """A model of a preset with random weights, its tokenizer, and what finds its nearest words."""
    sizes = {"vocabulary_size": len(VOCABULARY), "embedding_dim": 48}
    sizes |= {"num_buckets": 200} if name == "fast_text" else {}
    model = kzoo.create_model(name, **sizes)
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    tokenizer, subwords = WordTokenizer(VOCABULARY, lowercase=True), None
    if name == "fast_text":
        letters = TaggingTokenizer.train([[word] for word in WORDS], min_count=1).characters
        tokenizer, subwords = TaggingTokenizer(VOCABULARY, letters), model.get_layer("word_vectors")
        spelled = tokenizer([[word] for word in VOCABULARY])["characters"][:, 0]
        spelled[: len(SPECIAL_TOKENS)] = 0
        subwords.adapt(spelled)
    table = word_table(model, both=name == "glove")
    return table, tokenizer, nearest_words(table, 6, subwords)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """For every preset the table, and its verified file in each precision."""
    folder = tmp_path_factory.mktemp("words")
    made = {name: make(name) for name in ("skip_gram", "cbow", "fast_text", "glove", "nnlm")}
    exports = {
        (name, precision): Export(
            finder,
            folder / f"{name}_{precision}.tflite",
            precision,
            inputs=tokenizer([" ".join(WORDS)]),
            tokenizer=tokenizer,
            lengths=LENGTHS,
            tolerance=TOLERANCES,
        )
        for name, (_, tokenizer, finder) in made.items()
        # The others' files differ in nothing but numbers.
        for precision in (PRECISIONS if name in ("skip_gram", "fast_text") else ("float32",))
    }
    verified = dict(zip(exports, export_many(list(exports.values())), strict=True))
    return {key: (*made[key[0]][::2], file) for key, file in verified.items()}


def test_files_run_in_both_runtimes_with_built_in_operators(files):
    for _, _, verification in files.values():
        assert verification.runtimes == ("Interpreter", "CompiledModel")
        assert not [name for name in verification.operators if "FLEX" in name.upper()]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", ["skip_gram", "fast_text"])
def test_what_a_file_finds_is_as_near_as_its_precision_can_tell(files, name, precision):
    table, _, verification = files[name, precision]
    finder, vectors = NeighbourFinder(verification.path), WordVectors(VOCABULARY, table)
    share, lost = compare(finder, vectors, WORDS, 5)
    assert share > 0.9
    assert lost <= TOLERANCE[precision]
    # Another table than the file's has other neighbours.
    share, lost = compare(finder, WordVectors(VOCABULARY, table[::-1]), WORDS, 5)
    assert share < 0.9
    assert lost > TOLERANCE[precision]


@pytest.mark.parametrize("name", ["skip_gram", "cbow", "fast_text", "glove", "nnlm"])
def test_a_file_finds_what_the_table_finds(files, name):
    table, _, verification = files[name, "float32"]
    vectors, finder = WordVectors(VOCABULARY, table), NeighbourFinder(verification.path)
    for word in WORDS:
        expected, found = vectors.neighbours(word, 4), finder(word, 4)
        assert [one for one, _ in found] == [one for one, _ in expected]
        cosines = [[cosine for _, cosine in row] for row in (found, expected)]
        np.testing.assert_allclose(*cosines, atol=1e-5)
    outputs = Predictor(verification.path)(["film an"])
    np.testing.assert_allclose(outputs["vectors"][0], table[[11, 13]], atol=1e-5)


def test_a_saved_model_verifies_its_file(files, tmp_path):
    _, finder, verification = files["skip_gram", "dynamic"]
    finder.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    again = verify(verification.path, loaded, np.array([[4, 5, 6, 7, 8]]), lengths=(4,))
    assert again.max_difference <= again.tolerance


def test_fast_text_has_vectors_for_words_it_never_saw(files):
    finder = NeighbourFinder(files["fast_text", "float32"][2].path)
    # It shares its letters with two words of the table alone.
    assert finder("goodsy", 3)[0][0] in ("good", "goods")
    with pytest.raises(ValueError, match="one word that the file knows, got 'xyz'"):
        NeighbourFinder(files["skip_gram", "float32"][2].path)("xyz")


def test_the_command_prints_neighbours_from_any_file(files, tmp_path, capsys):
    table, _, verification = files["skip_gram", "float32"]
    vectors = WordVectors(WORDS, table[4:])
    vectors.save(tmp_path / "vectors.npz")
    for path in (verification.path, tmp_path / "vectors.npz"):
        cli.main(["neighbours", str(path), "영화", "Film".lower(), "--count", "2"])
        lines = capsys.readouterr().out.splitlines()
        assert [line.split("\t")[0] for line in lines] == ["영화", "film"]
        named = [part.split(" ")[0] for part in lines[0].split("\t")[1].split(", ")]
        assert named == [word for word, _ in vectors.neighbours("영화", 2)]
    with pytest.raises(SystemExit, match="no such file"):
        cli.main(["neighbours", str(tmp_path / "missing.txt"), "a"])


def test_other_files_find_nothing(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    export_many([Export(model, tmp_path / "model.tflite")])
    with pytest.raises(ExportError, match="finds no words"):
        NeighbourFinder(tmp_path / "model.tflite")
