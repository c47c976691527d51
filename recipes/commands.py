"""The commands of `kzoo` that recipes bring along."""

from kzoo.recipes.picture_commands import PictureCommand
from kzoo.recipes.recognition_commands import RecognitionCommand
from kzoo.recipes.sequence_commands import SequenceCommand
from kzoo.recipes.series_commands import SeriesCommand
from kzoo.recipes.word_commands import WordCommand

RecipeCommand = PictureCommand | RecognitionCommand | SequenceCommand | SeriesCommand | WordCommand
