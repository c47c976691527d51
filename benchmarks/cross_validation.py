"""Tenfold cross-validation of the sentiment recipe, for data sets without a test split.

    python benchmarks/cross_validation.py --data DIR --dataset sms_spam --out runs/folds

takes the options of `kzoo train sentiment`. Each fold is a run of the recipe in a folder of its
own, so that an interrupted one goes on where it stopped.
"""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np

from kzoo.recipes import sentiment
from kzoo.recipes.parts import command_line, report

FOLDS = 10
Knobs, SETTINGS, MODELS = sentiment.Knobs, sentiment.SETTINGS, sentiment.MODELS


def main(knobs):
    """Runs the folds and prints the mean and the standard deviation of every score."""
    out = knobs.out or Path("runs/cross_validation", knobs.dataset)
    tables = []
    for fold in range(FOLDS):
        run = dataclasses.replace(knobs, fold=fold, out=out / f"fold_{fold}")
        if not (run.out / "scores.json").exists():
            sentiment.main(run)
        tables.append(json.loads((run.out / "scores.json").read_text(encoding="utf-8")))
    rows = []
    for same in zip(*tables, strict=True):
        names = [name for name in same[0] if name == "accuracy" or name.endswith("F1")]
        values = {name: [float(row[name]) for row in same] for name in names}
        cells = {name: f"{np.mean(v):.2f} ± {np.std(v, ddof=1):.2f}" for name, v in values.items()}
        rows.append({"model": same[0]["model"], **cells})
    report.print_table(f"{knobs.dataset}, mean of {FOLDS} folds", rows)


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
