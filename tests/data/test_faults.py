"""Readers of runs of machines: formats, what is held out, when faults begin, windows."""

import io
import lzma
import tarfile

import numpy as np
import pytest

from kzoo.data import list_faults, load_faults


def write_plant(folder, broken=None):
    """Tennessee Eastman files with few rows, the first one on its side, as published."""
    home = folder / "tep"
    home.mkdir()
    with tarfile.open(home / "tep.tar", "w") as archive:
        for number in range(22):
            for ending, rows in (("", 10), ("_te", 170)):
                values = np.full((rows, 3), number) + np.arange(3) / 10
                if number == 0 and not ending:
                    values = values.T
                text = "\n".join("  ".join(f"{x:.4e}" for x in row) for row in values) + "\n"
                if broken == f"d{number:02d}{ending}":
                    text = text.replace("e", "x", 1)
                info = tarfile.TarInfo(f"d{number:02d}{ending}.dat")
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))
    return folder


def test_the_plant_has_a_run_of_each_class(tmp_path):
    data = load_faults("tep", write_plant(tmp_path))
    assert data.class_names[:2] == ["normal", "fault 1"]
    assert data.values.shape == (22 * 180, 3)
    assert data.parts["train"][:2] == [(0, 8), (10, 18)]
    assert data.parts["validation"][:2] == [(8, 10), (18, 20)]
    assert data.parts["test"][0] == (220, 390)
    np.testing.assert_allclose(data.values[0], [0, 0.1, 0.2])
    # A fault begins at row 160 of a run of testing.
    begin, end = data.parts["test"][3]
    assert data.labels[begin:end].tolist() == [0] * 160 + [3] * 10
    # Statistics are those of normal steps.
    np.testing.assert_allclose(data.statistics[0], [0, 0.1, 0.2], atol=1e-6)
    np.testing.assert_allclose(data.statistics[1], [0, 0, 0], atol=1e-9)


def test_windows_lie_in_one_run_and_one_class(tmp_path):
    data = load_faults("tep", write_plant(tmp_path))
    starts = data.starts("train", 5)
    assert starts[:8].tolist() == [0, 1, 2, 3, 10, 11, 12, 13]
    assert data.starts("train", 5, stride=2)[:4].tolist() == [1, 3, 11, 13]
    assert len(data.starts("train", 5, last=True)) == 22
    tests = data.starts("test", 5)
    # All of the normal run, and what comes after the beginning of a fault.
    assert len(tests) == 166 + 21 * 6
    assert (data.labels[tests] == data.labels[tests + 4]).all()
    with pytest.raises(ValueError, match="length: expected windows within the runs of train"):
        data.starts("train", 9)
    with pytest.raises(ValueError, match="part: expected one of train, validation, test"):
        data.starts("dev", 5)


def test_broken_and_damaged_files_are_named(tmp_path):
    write_plant(tmp_path, broken="d07_te")
    with pytest.raises(ValueError, match=r"d07_te\.dat: line 1: column '0': expected a number"):
        load_faults("tep", tmp_path)
    path = tmp_path / "tep" / "tep.tar"
    (tmp_path / "tep" / "tep.tar.xz").write_bytes(lzma.compress(path.read_bytes())[:-40])
    path.unlink()
    with pytest.raises(ValueError, match=r"tep\.tar\.xz: damaged or cut short, copy it again"):
        load_faults("tep", tmp_path)


def test_engines_are_as_good_as_new_until_125_cycles_are_left(tmp_path):
    rows = "".join(
        f"{engine} {cycle} " + " ".join(["1.0"] * 24) + "  \n"
        for engine in range(1, 7)
        for cycle in range(1, 151)
    )
    (tmp_path / "train_FD001.txt").write_text(rows)
    (tmp_path / "test_FD001.txt").write_text(rows)
    (tmp_path / "RUL_FD001.txt").write_text("10\n20\n30\n40\n50\n60\n")
    data = load_faults("cmapss_fd001", tmp_path)
    assert data.class_names is None
    assert data.values.shape == (3000, 25)
    assert data.columns[:3] == ["cycle", "setting 1", "setting 2"]
    # How old an engine is, is measured too.
    assert data.values[100:103, 0].tolist() == [1, 2, 3]
    # Every fifth engine is held out. Before each run are zeros.
    assert data.parts["validation"] == [(100, 250), (1350, 1500)]
    assert [begin for begin, _ in data.parts["train"]] == [350, 600, 850, 1100]
    assert not data.values[:100].any()
    assert data.labels[100:103].tolist() == [125, 125, 125]
    assert data.labels[247:250].tolist() == [2, 1, 0]
    assert data.starts("validation", 30)[0] == 100
    # Thirty steps of the run at least are in a window.
    assert data.starts("validation", 50)[0] == 80
    assert data.starts("validation", 130)[[0, -1]].tolist() == [0, 1370]
    ends = data.starts("test", 30, last=True) + 29
    assert data.labels[ends].tolist() == [10, 20, 30, 40, 50, 60]


def test_embedded_sets_are_whole():
    plant = load_faults("tep_4_classes")
    assert plant.values.shape == (3840, 52)
    begin, end = plant.parts["test"][3]
    assert plant.labels[begin:end].tolist() == [0] * 60 + [3] * 420
    machine = load_faults("machine_temperature")
    assert machine.values.shape == (22695, 1)
    # Four windows, of two days each.
    assert machine.labels.sum() == 2268
    assert (np.diff(machine.labels) > 0).sum() == 4
    assert machine.parts["test"] == [(3404, 22695)]


def test_unknown_names_and_missing_folders_say_what_was_expected():
    assert "tep" in list_faults()
    with pytest.raises(ValueError, match="name: expected one of cmapss_fd001, machine_temperature"):
        load_faults("bearing")
    with pytest.raises(ValueError, match="tep does not come with kzoo"):
        load_faults("tep")
