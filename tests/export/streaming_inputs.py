"""What the tests of streaming share: batches of ids with masks of every kind, random weights."""

import numpy as np

VOCABULARY, TIME = 30, 12
IDS = np.random.default_rng(0).integers(1, VOCABULARY, (4, TIME)).astype("int32")
# A hole, padding on the right, padding on the left, and nothing but padding.
IDS[0, 3:7] = IDS[1, 5:] = IDS[2, :8] = IDS[3] = 0
