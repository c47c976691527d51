"""What every test file leaves behind is let go of."""

import gc

import keras
import pytest


def pytest_collection_finish():
    """Spares the collector most of its walks, and all that was imported."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@pytest.fixture(scope="session", autouse=True)
def _few_timings():
    """Times files a few times only: no test asks how long they take."""
    from kzoo.export import seq2seq_verification, verification

    with pytest.MonkeyPatch.context() as patch:
        for module in (verification, seq2seq_verification):
            patch.setattr(module, "LATENCY_RUNS", 5)
        yield


@pytest.fixture(scope="module", autouse=True)
def _forget():
    """Frees the programs of a file: thousands of them use up the memory maps of a process."""
    yield
    keras.backend.clear_session()
    if keras.backend.backend() == "jax":
        import jax

        jax.clear_caches()
