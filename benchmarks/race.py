"""Runners that take turns, so that what else the machine does falls on all of them alike."""

import statistics
import time

MINIMUM = 5


def race(runners, seconds):
    """Returns the median milliseconds of each runner.

    Args:
        runners: Dict of functions without arguments.
        seconds: How long they take turns; every one runs at least five times.
    """
    for run in runners.values():
        run()
        run()
    times = {name: [] for name in runners}
    end = time.perf_counter() + seconds
    rounds = 0
    while rounds < MINIMUM or time.perf_counter() < end:
        rounds += 1
        for name, run in runners.items():
            start = time.perf_counter()
            run()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}
