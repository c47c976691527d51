"""Writes melodies as MIDI files."""

import mido

from kzoo.data.melodies import BAR, REST

# Units of time in a quarter note.
TICKS = 480


def write(text, path):
    """Writes a melody, one quarter note a step.

    Args:
        text: MIDI numbers and rests as `kzoo.data.load_melodies` has them: one word a step, or with
            "|" as many as stand before it.
        path: The file to write.

    Example:

    >>> steps("60 rest 62"), steps("60 64 | | 62 65 |")
    ([[60], [], [62]], [[60, 64], [], [62, 65]])
    """
    track = mido.MidiTrack()
    for notes in steps(text):
        for note in notes:
            track.append(mido.Message("note_on", note=note, time=0))
        # Time passes before the first message that ends the step; a rest is such a message too.
        for index, note in enumerate(notes or [0]):
            track.append(mido.Message("note_off", note=note, time=0 if index else TICKS))
    file = mido.MidiFile(ticks_per_beat=TICKS)
    file.tracks.append(track)
    file.save(path)


def steps(text):
    """Returns the list of MIDI numbers of each step."""
    words = text.split()
    if BAR not in words:
        return [[] if word == REST else [int(word)] for word in words]
    return [[int(word) for word in part.split()] for part in text.split(BAR)[:-1]]
