"""What every test file leaves behind is let go of."""

import keras
import pytest


@pytest.fixture(scope="module", autouse=True)
def _forget():
    """Frees the programs of a file: thousands of them use up the memory maps of a process."""
    yield
    keras.backend.clear_session()
    if keras.backend.backend() == "jax":
        import jax

        jax.clear_caches()
