"""What `import kzoo` brings along, each time in a process of its own."""

import os
import subprocess
import sys

import pytest

HEAVY = [
    "ai_edge_litert",
    "keras_hub",
    "kzoo.cli",
    "kzoo.export",
    "kzoo.recipes",
    "matplotlib",
    "rich",
    "sklearn",
    "tensorflow_text",
    "tyro",
]


def run(code, tmp_path, backend):
    """Runs code in a fresh interpreter, away from the repository; returns what it printed."""
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_import_kzoo_brings_nothing_heavy_beyond_keras(backend, tmp_path):
    code = (
        "import sys, keras; before = set(sys.modules); import kzoo;"
        f"print(*sorted(set({HEAVY}) & (set(sys.modules) - before)), 'end')"
    )
    assert run(code, tmp_path, backend) == ["end"]


def test_import_kzoo_on_jax_leaves_tensorflow_alone(tmp_path):
    code = "import sys, keras, kzoo; print('tensorflow' in sys.modules, keras.backend.backend())"
    assert run(code, tmp_path, "jax") == ["False", "jax"]


def test_the_library_works_on_jax_without_tensorflow(tmp_path):
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "import kzoo, kzoo.data, kzoo.layers, kzoo.models, kzoo.text\n"
        "name = kzoo.list_models()[0]\n"
        "print(callable(kzoo.create_model), len(name) > 0)"
    )
    assert run(code, tmp_path, "jax") == ["True", "True"]
