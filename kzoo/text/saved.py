"""What every tokenizer does with its configuration: JSON, and a file of it."""

import json
import os
from pathlib import Path


class Saved:
    """Base of what `kzoo.text.tokenizer_from_json` reads back, by its `name` and `get_config`."""

    name = None  # the key in saved files

    def get_config(self):
        """Return the constructor's arguments as a dict that JSON can hold."""
        raise NotImplementedError

    def to_json(self):
        """Return all of the tokenizer as a JSON string for `kzoo.text.tokenizer_from_json`."""
        content = {"tokenizer": self.name, "config": self.get_config()}
        return json.dumps(content, ensure_ascii=False)

    def save(self, path):
        """Write `to_json()` to the file `path`, which at no moment is half-written."""
        path = Path(path)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            draft.write_text(self.to_json(), encoding="utf-8")
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
