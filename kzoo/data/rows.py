"""Reads one file of labelled texts, and counts the rows it cannot use."""

from kzoo.data.files import parse_lines, read_lines
from kzoo.data.treebank import join_words


def read_rows(path, source, split):
    """Reads the usable rows of `path`, plain or packed as `.gz` or `.xz`.

    A row is skipped when it has the wrong number of columns, an unknown label, no text, or bytes
    that are not UTF-8. Skipped rows are counted in one `DataWarning` a file.

    Args:
        path: `pathlib.Path` of the file.
        source: `Source` that says how a row reads.
        split: the split that rows belong to, unless a column says otherwise.

    Returns:
        `(rows, skipped)`: a list of `(split, text, class_number)` and a list with one line of text
        for each row skipped, such as `"train.tsv: line 17: expected 3 columns, got 2"`.

    Raises:
        ValueError: if the file is damaged, its header is another one, or no row can be used.
    """
    lines = read_lines(path)
    first = 1
    if source.header:
        _check_header(path, lines.pop(0), source)
        first = 2
    return parse_lines(path, lines, _row_parser(source, split), first)


def _check_header(path, line, source):
    got = line.decode(errors="replace").rstrip("\r").split(source.separator)
    if tuple(got) != source.columns:
        expected = ", ".join(source.columns)
        raise ValueError(
            f"{path}: line 1: expected the columns {expected}, got {', '.join(got)[:200]}"
        )


def _row_parser(source, default_split):
    """A function from a line to `(split, text, class_number)`; ValueError says what is wrong."""
    text_at = source.columns.index(source.text)
    label_at = source.columns.index(source.label)
    split_at = source.columns.index("split") if "split" in source.columns else None
    classes = {label: number for number, label in enumerate(source.labels)}
    # A text may hold spaces, so where spaces separate only the first one does.
    splits = 1 if source.separator == " " else -1

    def parse(line):
        # A UnicodeDecodeError is a ValueError too, and says at which byte.
        row = line.decode().removesuffix("\r")
        # Spreadsheets put a row into quotes when there are quotes in its text.
        if len(row) > 1 and row[0] == row[-1] == '"':
            row = row[1:-1].replace('""', '"')
        fields = row.split(source.separator, splits)
        if len(fields) != len(source.columns):
            raise ValueError(f"expected {len(source.columns)} columns, got {len(fields)}")
        text, label = fields[text_at].strip(), fields[label_at]
        if source.treebank:
            text = join_words(text)
        if not text:
            raise ValueError("expected a text, got none")
        if label not in classes:
            raise ValueError(f"expected a label of {', '.join(classes)}, got {label[:80]!r}")
        split = default_split if split_at is None else fields[split_at]
        if split not in ("train", "validation", "test"):
            raise ValueError(f"expected a split of train, validation, test, got {split[:80]!r}")
        return split, text, classes[label]

    return parse
