"""Builds the product as a user gets it, installs it elsewhere and imports it there."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EMBEDDED = [path.relative_to(ROOT).as_posix() for path in (ROOT / "kzoo/data/embedded").iterdir()]
FONTS = [path.relative_to(ROOT).as_posix() for path in (ROOT / "recipes/parts/fonts").iterdir()]


def call(*command, cwd):
    """Runs a command without the caller's Python path; returns what it printed."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The source archive, and the wheel made from it: what the archive lacks, the wheel lacks."""
    # A copy, because a build leaves folders behind, and picks up what earlier builds left.
    tree = tmp_path_factory.mktemp("build") / "tree"
    leave_out = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "runs")
    shutil.copytree(ROOT, tree, ignore=leave_out)
    call(sys.executable, "-m", "build", "--no-isolation", tree, cwd=tree.parent)
    (archive,) = (tree / "dist").glob("*.tar.gz")
    (wheel,) = (tree / "dist").glob("*.whl")
    return archive, wheel


@pytest.fixture(scope="module")
def python(built, tmp_path_factory):
    """The interpreter of a fresh environment with the wheel, borrowing our other packages."""
    folder = tmp_path_factory.mktemp("fresh") / "environment"
    call(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    interpreter = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", interpreter, "--disable-pip-version-check"]
    call(*pip, "install", "--no-deps", "--no-index", built[1], cwd=folder)
    # A .pth file found through another one is not read, so an editable kzoo stays behind.
    (site,) = folder.glob("lib/python*/site-packages")
    borrowed = {sysconfig.get_paths()[key] for key in ("purelib", "platlib")}
    (site / "borrowed.pth").write_text("\n".join(borrowed))
    return interpreter


def test_the_wheel_holds_the_product_and_nothing_else(built):
    with zipfile.ZipFile(built[1]) as wheel:
        names = set(wheel.namelist())
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"kzoo"}
    expected = [*EMBEDDED, "kzoo/__init__.py", "kzoo/export/__init__.py"]
    expected += ["kzoo/recipes/__init__.py", *(f"kzoo/{font}" for font in FONTS)]
    expected += [path.relative_to(ROOT).as_posix() for path in (ROOT / "kzoo").rglob("*.py")]
    expected += [f"kzoo/{p.relative_to(ROOT).as_posix()}" for p in (ROOT / "export").rglob("*.py")]
    expected += [f"kzoo/{p.relative_to(ROOT).as_posix()}" for p in (ROOT / "recipes").rglob("*.py")]
    assert sorted(set(expected) - names) == []
    licences = {name.rsplit("/", 1)[1] for name in names if "/licenses/" in name}
    assert {"LICENSE", "NOTICE"} <= licences


def test_the_source_archive_holds_data_and_licences(built):
    with tarfile.open(built[0]) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert sorted({*EMBEDDED, *FONTS, "LICENSE", "NOTICE", "setup.py", "README.md"} - names) == []


def test_the_installed_product_imports_and_finds_its_data_elsewhere(python, tmp_path):
    code = (
        "import importlib.metadata, kzoo, kzoo.export, kzoo.recipes, kzoo.data\n"
        "for module in kzoo, kzoo.export, kzoo.recipes, kzoo.data: print(module.__file__)\n"
        "for name in 'sentiment_ko', 'spam_en':\n"
        "    print(len(kzoo.data.load_text_classification(name).train))\n"
        "print(kzoo.__version__, importlib.metadata.version('kzoo'))\n"
    )
    *files, reviews, messages, version, packaged = call(python, "-c", code, cwd=tmp_path).split()
    environment = python.parent.parent
    assert len(files) == 4
    assert all(Path(file).is_relative_to(environment) for file in files)
    assert (int(reviews), int(messages)) == (4194, 4523)
    assert version == packaged


@pytest.mark.parametrize("name", ["export", "recipes"])
def test_no_room_is_importable_by_its_bare_name(name, python, tmp_path):
    code = f"import importlib.util; print(importlib.util.find_spec('{name}'))"
    assert call(python, "-c", code, cwd=tmp_path).strip() == "None"


def test_the_command_is_installed(python, tmp_path):
    command = python.parent / "kzoo"
    assert "train" in call(command, "--help", cwd=tmp_path)
