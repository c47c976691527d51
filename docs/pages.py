"""Writes the pages of the public names: `python docs/pages.py FOLDER`, as `make docs` does."""

import re
import sys
from pathlib import Path

import pdoc

from kzoo import export

# pdoc knows no head with more than the one word, and Markdown takes two stars for emphasis.
EXAMPLE = re.compile(r"^(Example.*:)$", re.MULTILINE)
STARRED = re.compile(r"^( +)(\*+)(?=\w+:)", re.MULTILINE)


def readable(docstring):
    """Returns a docstring of which pdoc makes what was meant."""
    docstring = EXAMPLE.sub(r"###### \1", docstring)
    return STARRED.sub(lambda found: found[1] + found[2].replace("*", r"\*"), docstring)


def write_pages(folder):
    """Writes a page for `kzoo` and one for each of its rooms, with what their `__all__` lists."""
    # What is loaded on first use is looked for among the names that the room has already.
    vars(export).update({name: getattr(export, name) for name in export.__all__})
    pdoc.docstrings.GOOGLE_LIST_SECTIONS.append("Call arguments")
    pdoc.render.env.filters["readable"] = readable
    pdoc.render.configure(
        docformat="google", show_source=False, template_directory=Path(__file__).parent
    )
    # Some functions have the name of their module, whose page would take their place.
    pdoc.pdoc("kzoo", "kzoo.export", r"!kzoo\.\w+\.", output_directory=Path(folder))


if __name__ == "__main__":
    write_pages(sys.argv[1])
