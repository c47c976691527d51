"""The commands of `kzoo` that recipes bring along."""

from kzoo.recipes.recognition_commands import RecognitionCommand
from kzoo.recipes.series_commands import SeriesCommand
from kzoo.recipes.word_commands import WordCommand

RecipeCommand = RecognitionCommand | SeriesCommand | WordCommand
