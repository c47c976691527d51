"""The commands of `kzoo` that run a file on a table of numbers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass
class Forecast:
    """Go on with the series of a CSV file, with a `.tflite` file alone."""

    # The `.tflite` file.
    file: tyro.conf.Positional[Path]
    # The series: a CSV file with the columns that the model reads, plain, .gz or .xz.
    series: tyro.conf.Positional[Path]

    def run(self):
        """Prints a CSV table: one line for each step after the last one of the series."""
        from kzoo.data import read_table
        from kzoo.export import ForecastPredictor

        predictor = ForecastPredictor(self.file)
        table = read_table(self.series, **predictor.details["reading"])
        print("step", *predictor.names, sep=",")
        for step, row in enumerate(predictor.forecast(table.values), start=1):
            print(step, *(f"{value:.6g}" for value in row.ravel()), sep=",")


SeriesCommand = Annotated[Forecast, tyro.conf.subcommand("forecast")]
