"""Write a file or folder so that its path holds either the old content or the whole new one."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from kzoo.export.errors import ExportError


def _partial(path):
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


@contextmanager
def atomic_file(path):
    """Yield a writable empty file beside `path` that replaces it when the block ends well."""
    path = Path(path)
    if path.is_dir():
        raise ExportError(f"path: expected a file name, got the existing folder {path}")
    partial = _partial(path)
    try:
        partial.touch()
    except OSError as error:
        raise ExportError(f"path: cannot write {path}: {error.strerror}") from error
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path, replaceable):
    """Yield an empty folder beside `path` that replaces it when the block ends well.

    An existing folder is replaced only if it is empty or `replaceable(path)` says that it is of
    the kind that is being written.
    """
    path = Path(path)
    if not path.name:
        raise ExportError(f"path: expected the name of a folder, got {str(path)!r}")
    partial, old = _partial(path), path.with_name(f".{path.name}.{os.getpid()}.old")
    if path.exists() and not (path.is_dir() and (not any(path.iterdir()) or replaceable(path))):
        raise ExportError(f"path: {path} exists and is not an older export; it is left untouched")
    try:
        partial.mkdir()
    except OSError as error:
        raise ExportError(f"path: cannot write {path}: {error.strerror}") from error
    try:
        yield partial
        # A folder that holds files cannot be replaced in one step: the old one steps aside.
        if path.exists():
            path.rename(old)
        partial.rename(path)
    finally:
        if old.exists() and not path.exists():
            old.rename(path)
        shutil.rmtree(old, ignore_errors=True)
        shutil.rmtree(partial, ignore_errors=True)
