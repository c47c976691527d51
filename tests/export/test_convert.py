"""The converter's process stays, is started again, and never gives an answer to another question.

A small program stands for the converter here: it answers with its process number and its jobs.
"""

import signal
import sys

import pytest

from kzoo.export import ExportError
from kzoo.export.convert import Converter

PROGRAM = """
import json, os, sys, time
for line in sys.stdin:
    precisions = [job["precision"] for job in json.loads(line)]
    if "crash" in precisions:
        sys.exit("the last words")
    if "leave" in precisions:
        print(json.dumps([os.getpid(), "leaving"]), flush=True)
        break
    if "slow" in precisions:
        time.sleep(3600)
    print(json.dumps([os.getpid(), *precisions]), flush=True)
"""


@pytest.fixture
def converter():
    converter = Converter([sys.executable, "-c", PROGRAM])
    yield converter
    converter.stop()


def jobs(*precisions):
    return [{"saved_model": "x", "target": "y", "precision": each} for each in precisions]


def test_one_process_answers_many(converter):
    converter.start()
    first, *answer = converter.convert(jobs("float32", "dynamic"))
    assert answer == ["float32", "dynamic"]
    assert converter.convert(jobs("float16")) == [first, "float16"]


def test_a_process_that_left_is_started_again(converter):
    first, _ = converter.convert(jobs("leave"))
    again, answer = converter.convert(jobs("float32"))
    assert answer == "float32"
    assert again != first
    # It leaves while it is asked: its end is not noticed before.
    converter.process.stdin.close()
    converter.process.wait()
    converter.start()
    third, answer = converter.convert(jobs("float16"))
    assert (third not in (first, again), answer) == (True, "float16")


def test_a_process_that_died_is_started_again(converter):
    with pytest.raises(ExportError, match=r"(?s)exit status 1.*the last words"):
        converter.convert(jobs("crash"))
    assert converter.convert(jobs("float32"))[1:] == ["float32"]


def test_one_that_never_answers_is_told():
    converter = Converter([sys.executable, "-c", ""])
    with pytest.raises(ExportError, match="ended without an answer"):
        converter.convert(jobs("float32"))


def test_an_interrupted_answer_is_not_taken_for_the_next(converter):
    (first,) = converter.convert([])

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    with pytest.raises(KeyboardInterrupt):
        converter.convert(jobs("slow"))
    signal.signal(signal.SIGALRM, before)
    again, answer = converter.convert(jobs("dynamic"))
    assert (again != first, answer) == (True, "dynamic")


def test_the_process_itself_reads_lines_and_keeps_what_is_printed_apart(tmp_path):
    converter = Converter()
    (message,) = converter.convert(
        [{"saved_model": str(tmp_path), "target": str(tmp_path / "y"), "precision": "float32"}]
    )
    converter.stop()
    assert "invalid" in message
