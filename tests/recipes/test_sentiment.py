"""The recipe end to end on a small real data set: kill -9, resume, report, files, bad input."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import NamedTuple

import pytest

import kzoo
from kzoo.cli import main as kzoo_command
from kzoo.export import Predictor
from kzoo.recipes import sentiment
from kzoo.recipes.parts import command_line, folds, run_folder

SIZES = [
    "--embedding-dim",
    "8",
    "--units",
    "8",
    "--vocabulary-size",
    "400",
    "--max-length",
    "24",
    "--members",
    "2",
]


class Killed(NamedTuple):
    """What is left of a run that was killed with SIGKILL, and then run again to its end.

    Attributes:
        out: The run folder.
        history: What the checkpoint knows of each epoch at the end.
        epochs_before: Number of epochs that were done when the process was killed.
        returncode: The exit status of the killed process.
        finished: The `CompletedProcess` of the second one.
    """

    out: os.PathLike
    history: list
    epochs_before: int
    returncode: int
    finished: subprocess.CompletedProcess


def kill_and_resume(out, arguments):
    """Runs the recipe, kills it after its first epoch, and runs it again to its end."""
    command = [sys.executable, "-m", "kzoo.recipes.sentiment", "--out", str(out), *arguments]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    state = out / "checkpoint/member_0/state.json"
    while process.poll() is None and not state.exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    epochs_before = len(json.loads(state.read_text()))
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    history = json.loads(state.read_text())
    return Killed(out, history, epochs_before, process.returncode, finished)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data folder with the first reviews of the embedded set, in the layout of NSMC."""
    folder = tmp_path_factory.mktemp("data") / "nsmc_rebuilt"
    folder.mkdir()
    data = kzoo.data.load_text_classification("sentiment_ko")
    for name, part, count in (("train", data.train, 400), ("test", data.test, 60)):
        lines = ["id\tdocument\tlabel"]
        lines += [
            f"{index}\t{text}\t{label}"
            for index, (text, label) in enumerate(
                zip(part.texts[:count], part.labels[:count], strict=True)
            )
        ]
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder.parent


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    """A run that was killed with SIGKILL after its first epoch, and then run again to its end."""
    out = tmp_path_factory.mktemp("runs") / "killed"
    arguments = ["--dataset", "nsmc", "--data", str(folder), "--epochs", "3", *SIZES]
    return kill_and_resume(out, arguments)


def test_resumes_after_kill(run):
    assert run.returncode == -signal.SIGKILL
    assert 1 <= run.epochs_before < 3
    assert run.finished.returncode == 0, run.finished.stderr
    assert len(run.history) == 3
    # The first epoch that the second process runs is the one after the last that was kept.
    assert run.finished.stdout.split("Epoch ")[1].startswith(f"{run.epochs_before + 1}/3")


def test_everything_is_in_the_run_folder(run):
    out = run.out
    expected = "checkpoint confusion.png dynamic.tflite float16.tflite float32.tflite floor.json"
    expected += " knobs.json learning_curve.png model.keras report.md saved_model scores.json"
    expected += " tokenizer.json"
    assert sorted(path.name for path in out.iterdir()) == expected.split()
    assert (out / "confusion.png").read_bytes()[:4] == b"\x89PNG"
    report = (out / "report.md").read_text(encoding="utf-8")
    for part in (
        "linear floor",
        "float32.tflite",
        "dynamic.tflite",
        "f1-score",
        "CC0",
        "epochs: 3",
    ):
        assert part in report


def test_table_and_files_agree(run):
    """The accuracy in the table is that of the file, recomputed here from the file alone."""
    out, finished = run.out, run.finished
    predictor = Predictor(out / "dynamic.tflite")
    assert predictor.labels == ("negative", "positive")
    ((label, probability),) = predictor.classify(["정말 재미있는 영화"])
    assert label in predictor.labels
    assert 0.5 <= probability <= 1
    assert "dynamic.tflite" in finished.stdout


def test_commands_read_the_files(run, capsys):
    out = run.out
    kzoo_command(["predict", str(out / "float32.tflite"), "최고의 영화", "최악"])
    lines = capsys.readouterr().out.strip().split("\n")
    assert [line.split("\t")[2] for line in lines] == ["최고의 영화", "최악"]
    kzoo_command(["verify", str(out / "float16.tflite"), str(out / "model.keras")])
    assert "largest difference" in capsys.readouterr().out
    target = out.parent / "again.tflite"
    kzoo_command(["export", str(out / "model.keras"), str(target), "--precision", "dynamic"])
    assert target.stat().st_size < (out / "float32.tflite").stat().st_size


def test_other_settings_are_refused(run, folder):
    out = run.out
    with pytest.raises(SystemExit, match=r"same settings.*epochs=3 and now 4"):
        start(folder, out, "--epochs", "4")


def test_a_folder_that_was_moved_holds_the_same_run(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    run_folder.prepare(sentiment.Knobs(out=here), here)
    (here / "checkpoint/member_0").mkdir(parents=True)
    (here / "checkpoint/member_0/state.json").touch()
    here.rename(there)
    assert run_folder.prepare(sentiment.Knobs(out=there), there) == there
    with pytest.raises(ValueError, match=r"same settings.*epochs=10 and now 4"):
        run_folder.prepare(sentiment.Knobs(out=there, epochs=4), there)


def test_a_run_that_trained_nothing_takes_other_settings(folder, tmp_path):
    with pytest.raises(SystemExit, match="nowhere"):
        start(folder, tmp_path, "--embeddings", str(tmp_path / "nowhere.txt"))
    assert (tmp_path / "tokenizer.json").exists()
    run_folder.prepare(sentiment.Knobs(tokenizer="byte"), tmp_path)
    assert not (tmp_path / "tokenizer.json").exists()
    assert json.loads((tmp_path / "knobs.json").read_text())["tokenizer"] == "byte"


def start(folder, out, *arguments):
    """Starts the recipe in this process."""
    options = ["--dataset", "nsmc", "--data", str(folder), "--out", str(out)]
    command_line.run(sentiment, [*options, *SIZES, *arguments])


def test_missing_data_folder(tmp_path):
    with pytest.raises(SystemExit, match=r"folder.*nowhere"):
        start(tmp_path / "nowhere", tmp_path / "out")


def test_unwritable_out(folder, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SystemExit, match="`out` must be a folder to write in"):
        start(folder, tmp_path / "file" / "run")
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize(
    ("option", "value"), [("--learning-rat", "1"), ("--tokenizer", "letters"), ("--floor", "bytes")]
)
def test_unknown_option_or_choice_ends_with_status_2(folder, tmp_path, capsys, option, value):
    with pytest.raises(SystemExit) as end:
        start(folder, tmp_path / "out", option, value)
    assert end.value.code == 2
    assert option in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--model", "text_elman", "`model` must be one of"),
        ("--max-length", "0", "`max_length` must be in"),
        ("--dataset", "films", "films"),
    ],
)
def test_bad_values_are_named(folder, tmp_path, option, value, message):
    with pytest.raises(SystemExit, match=message):
        start(folder, tmp_path / "out", option, value)


def test_settings_of_a_data_set_yield_to_the_command_line():
    settings = {"imdb": {"max_length": 400, "tokenizer": "word"}}
    arguments = ["--dataset=imdb", "--tokenizer", "byte"]
    knobs = command_line.parse(sentiment.Knobs, settings, "help", arguments)
    assert (knobs.dataset, knobs.max_length, knobs.tokenizer) == ("imdb", 400, "byte")
    assert command_line.parse(sentiment.Knobs, settings, "help", []).max_length == 192


def test_every_fold_is_tested_once(tmp_path, capsys):
    """An interrupted cross-validation goes on, and gives mean and sample deviation."""
    done = []

    def train(knobs):
        if len(done) == 4 and done[-1] == 3:
            done.append("interrupted")
            raise KeyboardInterrupt
        done.append(knobs.fold)
        (knobs.out / "checkpoint").mkdir()
        (knobs.out / "checkpoint/state.json").touch()
        row = {"model": "Keras", "spam F1": str(90 + knobs.fold % 2), "size": "1 MB"}
        run_folder.write_report(knobs.out, "", [row])

    arguments = ["--dataset", "spam_en", "--fold", "all", "--out", str(tmp_path)]
    knobs = command_line.parse(sentiment.Knobs, sentiment.SETTINGS, "help", arguments)
    with pytest.raises(KeyboardInterrupt):
        folds.cross_validate(train, knobs, tmp_path)
    folds.cross_validate(train, knobs, tmp_path)
    assert done == [0, 1, 2, 3, "interrupted", 4, 5, 6, 7, 8, 9]
    assert "90.50 ± 0.53" in capsys.readouterr().out
    assert "| Keras | 90.50 ± 0.53 |" in (tmp_path / "report.md").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=r"same settings.*epochs=6 and now 2"):
        folds.cross_validate(train, replace(knobs, epochs=2), tmp_path)


@pytest.mark.parametrize(
    ("dataset", "fold", "message"),
    [
        ("sentiment_ko", "all", "fold: expected 0, for sentiment_ko has a test split of its own"),
        ("spam_en", "10", "fold: expected 0 to 9, got 10"),
    ],
)
def test_folds_that_there_are_not_leave_nothing_behind(dataset, fold, message, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(SystemExit, match=message):
        command_line.run(sentiment, ["--dataset", dataset, "--fold", fold, "--out", str(out)])
    assert not out.exists()


def test_broken_rows_are_counted(folder, tmp_path):
    broken = tmp_path / "nsmc_rebuilt"
    broken.mkdir()
    for path in (folder / "nsmc_rebuilt").iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    with (broken / "train.tsv").open("a") as file:
        file.write("one column\n")
    with pytest.warns(kzoo.data.DataWarning, match=r"train\.tsv: skipped 1 of 401 rows.*line 402"):
        data = kzoo.data.load_text_classification("nsmc", tmp_path)
    assert len(data.skipped) == 1


def test_text_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "report.md"
    run_folder.write(path, "old")
    monkeypatch.setattr("os.replace", lambda *paths: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        run_folder.write(path, "new")
    assert path.read_text() == "old"
