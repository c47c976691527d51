"""Cross-validation: each tenth of a data set is the test split once."""

import dataclasses
import json

import numpy as np

from kzoo.recipes.parts import report, run_folder

FOLDS = 10


def cross_validate(main, knobs, out):
    """Runs a recipe with each tenth as the test split, and reports the mean of every score.

    Each fold is a run in a folder of its own, `fold_0` to `fold_9`, so that an interrupted one goes
    on where it stopped.

    Args:
        main: Runs the recipe with some knobs; one of them is `fold`, another one `out`.
        knobs: Those of all folds.
        out: The run folder.

    Raises:
        ValueError: if the folder of a fold holds a run with other settings.
    """
    tables = []
    for fold in range(FOLDS):
        run = dataclasses.replace(knobs, fold=fold, out=out / f"fold_{fold}")
        folder = run_folder.prepare(run, run.out)
        if not (folder / "scores.json").exists():
            print(f"Fold {fold + 1} of {FOLDS}")
            main(run)
        tables.append(json.loads((folder / "scores.json").read_text(encoding="utf-8")))
    rows = [mean_row(same) for same in zip(*tables, strict=True)]
    title = f"{knobs.dataset}, mean and standard deviation of {FOLDS} folds"
    report.print_table(title, rows)
    text = f"""# {title}

{report.markdown_table(rows)}

Each row of the data is tested once, by a model that never saw it. The folders `fold_0` to
`fold_{FOLDS - 1}` hold the models and the reports.

## Settings

{report.settings(knobs)}
"""
    run_folder.write_report(out, text, rows)
    print(f"The report, and the folder of each fold, are in {out}")


def mean_row(rows):
    """Returns the row of a table with the mean and the standard deviation of every score.

    Args:
        rows: The same model's row in the table of each fold, scores as strings.

    Example:

    >>> mean_row([{"model": "Keras", "accuracy": "90.00"}, {"model": "Keras", "accuracy": "92.00"}])
    {'model': 'Keras', 'accuracy': '91.00 ± 1.41'}
    """
    names = [name for name in rows[0] if name == "accuracy" or name.endswith("F1")]
    values = {name: [float(row[name]) for row in rows] for name in names}
    cells = {name: f"{np.mean(v):.2f} ± {np.std(v, ddof=1):.2f}" for name, v in values.items()}
    return {"model": rows[0]["model"], **cells}
