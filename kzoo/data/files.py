"""Finds the files of a data set, plain or packed, and reads them."""

import contextlib
import gzip
import io
import lzma
import tarfile
import warnings
import zlib
from pathlib import Path

_EMBEDDED = Path(__file__).parent / "embedded"
_OPENERS = {".gz": gzip.open, ".xz": lzma.open}


class DataWarning(UserWarning):
    """Some rows of a data file were skipped."""


def find_files(name, source, files, folder=None):
    """Finds every file of a data set in one directory.

    Args:
        name: name of the set, for messages.
        source: how the set lies on disk, with the attributes `folder` (the set's own directory
            inside the folder of all data) and `embedded` (whether the files come with kzoo).
        files: list of file names, without `.gz` or `.xz`.
        folder: directory that holds the set's own directory, or that directory itself. The files
            that come with kzoo are taken where it is None, and where it does not hold them.

    Returns:
        Dict from the names in `files` to paths.

    Raises:
        ValueError: if `folder` is None and the set does not come with kzoo.
        FileNotFoundError: if the folder or a file in it is missing.
    """
    wanted = f"a directory with {', '.join(files)} (plain, .gz or .xz) in it or in its "
    wanted += f"{source.folder}/"
    if folder is None and not source.embedded:
        raise ValueError(f"{name} does not come with kzoo: give `folder` (--data), {wanted}")
    roots = [] if folder is None else [Path(folder) / source.folder, Path(folder)]
    if source.embedded and (folder is None or Path(folder).is_dir()):
        roots.append(_EMBEDDED)
    for root in roots:
        found = {}
        for file in files:
            packed = (root / f"{file}{ending}" for ending in ("", ".gz", ".xz"))
            found[file] = next(filter(Path.is_file, packed), None)
        if None not in found.values():
            return found
    state = "which has no such files" if Path(folder).is_dir() else "which is no directory"
    raise FileNotFoundError(f"folder (--data): expected {wanted}, got {str(folder)!r}, {state}")


def read_bytes(path):
    """Reads what `path` holds, plain or packed as `.gz` or `.xz`.

    Raises:
        ValueError: if the file is damaged.
    """
    try:
        with _OPENERS.get(path.suffix, open)(path, "rb") as file:
            return file.read()
    except (EOFError, lzma.LZMAError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: damaged or cut short, copy it again ({error})") from error


@contextlib.contextmanager
def open_archive(path):
    """Opens the tar that `path` holds, plain or packed as `.gz` or `.xz`, to read its members.

    Raises:
        ValueError: if the file is damaged, or lacks a member that the block asks for by name.
    """
    # Unpacked before, for a tarfile takes a packed one that is damaged for one that ends there.
    data = io.BytesIO(read_bytes(path))
    try:
        with tarfile.open(fileobj=data) as archive:
            yield archive
    except (tarfile.TarError, KeyError) as error:
        raise ValueError(f"{path}: damaged or cut short, copy it again ({error})") from error


def read_lines(path):
    """Reads the lines of `path`, plain or packed as `.gz` or `.xz`.

    Returns:
        List of bytes, without line feeds.

    Raises:
        ValueError: if the file is damaged.
    """
    data = read_bytes(path)
    # Only a line feed ends a row: texts hold other characters that str.splitlines would split at.
    return data.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\n").split(b"\n")


def parse_lines(path, lines, parse, first=1):
    """Parses the usable lines of a file; the others are counted in one `DataWarning`.

    Args:
        path: `pathlib.Path` of the file.
        lines: list of what `parse` takes.
        parse: function from a line to a row; its ValueError says why a line cannot be used.
        first: number of the first line in the file.

    Returns:
        `(rows, skipped)`: what `parse` returned, and a list with one line of text for each line
        skipped, such as `"train.tsv: line 17: expected 3 columns, got 2"`.

    Raises:
        ValueError: if no line can be used.
    """
    rows, broken = [], []
    for number, line in enumerate(lines, start=first):
        try:
            rows.append(parse(line))
        except ValueError as error:
            broken.append(f"line {number}: {error}")
    return rows, report_broken(path, rows, broken, len(lines), first, stacklevel=5)


def report_broken(path, rows, broken, count, first=1, stacklevel=4):
    """Counts what cannot be used of a file in one `DataWarning`.

    Args:
        path: `pathlib.Path` of the file.
        rows: list of what can be used.
        broken: list of texts such as `"line 17: expected 3 columns, got 2"`.
        count: number of all rows.
        first: number of the first line.
        stacklevel: of the warning, which points at whoever called the function that loads.

    Returns:
        List of `broken` with the name of the file in front.

    Raises:
        ValueError: if `rows` is empty.
    """
    if not rows:
        reason = f"first: {broken[0]}" if broken else f"the file ends after line {first - 1}"
        raise ValueError(f"{path}: none of its {count} rows can be used; {reason}")
    if broken:
        message = f"{path}: skipped {len(broken)} of {count} rows; first: {broken[0]}"
        warnings.warn(message, DataWarning, stacklevel=stacklevel)
    return [f"{path.name}: {row}" for row in broken]
