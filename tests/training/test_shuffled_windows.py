"""Windows of one sequence in any order."""

import numpy as np
import pytest

from kzoo.training import ShuffledWindows

IDS = np.arange(100, 203)


def epoch(windows):
    return [
        np.concatenate(parts) for parts in zip(*(windows[n] for n in range(len(windows))), strict=1)
    ]


def test_every_id_but_the_first_is_a_target_once():
    for window in (1, 7, 50, 102):
        inputs, targets, weights = epoch(ShuffledWindows(IDS, window, 4, shuffle=False))
        assert sorted(targets[weights > 0]) == IDS[1:].tolist()
        np.testing.assert_array_equal(targets, inputs + 1)


def test_an_epoch_depends_on_seed_and_number_alone():
    windows = ShuffledWindows(IDS, 7, 4, seed=3)
    first = epoch(windows)[1]
    windows.on_epoch_end()
    second = epoch(windows)[1]
    assert first.tolist() != second.tolist()
    resumed = ShuffledWindows(IDS, 7, 4, seed=3)
    resumed.start_epoch(1)
    np.testing.assert_array_equal(epoch(resumed)[1], second)
    assert epoch(ShuffledWindows(IDS, 7, 4, seed=4))[1].tolist() != first.tolist()


def test_shuffled_windows_do_not_overlap_and_leave_out_less_than_two():
    windows = ShuffledWindows(IDS, 7, 4, seed=3)
    starts = set()
    for _ in range(8):
        inputs, targets, weights = epoch(windows)
        assert len(set(targets.ravel())) == targets.size > 102 - 14
        np.testing.assert_array_equal(targets, inputs + 1)
        assert weights.min() == 1
        starts.add(inputs.min() % 7)
        windows.on_epoch_end()
    assert len(starts) > 3


@pytest.mark.parametrize(("window", "batch_size"), [(0, 4), (103, 4), (7, 0)])
def test_bad_arguments_are_named(window, batch_size):
    with pytest.raises(ValueError, match=r"`window`|`batch_size`"):
        ShuffledWindows(IDS, window, batch_size)
