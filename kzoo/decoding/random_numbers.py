"""Random numbers from integers alone: the same on every backend and runtime."""

import numpy as np
from keras import ops

from kzoo.decoding.checks import check_integer, check_tensor

# No product of two numbers below these primes leaves int32, on which runtimes agree.
MODULI = np.array([30269, 30307, 30323], "int32")
MULTIPLIERS = np.array([171, 172, 170], "int32")
RESOLUTION = 2**24  # What a float32 holds exactly.
WEIGHTS = np.round(RESOLUTION / MODULI).astype("int32")
ROUNDS = 4


def seed_rows(seed, batch):
    """Returns the first state of the generator for each row.

    The seed and the number of the row are mixed by rounds of

        x <- x + y^2 + 1 mod m_1;    y <- y + z^2 + 2 mod m_2;    z <- z + x^2 + 3 mod m_3

    each of which can be undone, so that different seeds and rows have different states.

    Args:
        seed: Integer from 0 to 2^31 - 1 or such a scalar tensor; or int32 `(batch,)`, one seed a
            row, which makes a row independent of its place.
        batch: Number of rows.

    Returns:
        int32 `(batch, 3)`.

    Example:

    >>> ops.convert_to_numpy(seed_rows(0, 2)).tolist()
    [[4327, 22581, 6554], [14559, 14004, 12899]]
    """
    rows = ops.arange(batch, dtype="int32")
    if isinstance(seed, list | tuple) or len(getattr(seed, "shape", ())):
        seed = ops.convert_to_tensor(seed)
        check_tensor("seed", seed, "int", (batch,))
        rows = ops.zeros_like(rows)
    else:
        check_integer("seed", seed, 0)
    seed = ops.zeros_like(rows) + ops.cast(seed, "int32")
    x, rest = ops.mod(seed, MODULI[0]), ops.floor_divide(seed, MODULI[0])
    y, z = ops.mod(rest, MODULI[1]), ops.floor_divide(rest, MODULI[1])
    x, y, z = _mix(x, y, z)
    y = ops.mod(y + ops.floor_divide(rows, MODULI[2]), MODULI[1])
    x, y, z = _mix(x, y, ops.mod(z + rows, MODULI[2]))
    # Zero is where a multiplicative generator stands still.
    return ops.mod(ops.stack([x, y, z], axis=1), MODULI - 1) + 1


def _mix(x, y, z):
    for _ in range(ROUNDS):
        x = ops.mod(x + y * y + 1, MODULI[0])
        y = ops.mod(y + z * z + 2, MODULI[1])
        z = ops.mod(z + x * x + 3, MODULI[2])
    return x, y, z


def next_uniform(state):
    """Steps the generator of Wichmann and Hill once.

        s_i <- a_i s_i mod m_i;    u = frac(s_1 / m_1 + s_2 / m_2 + s_3 / m_3)

    with `1 / m_i` in 24 bits of fixed point, so that `u` is exact. Source: Wichmann and Hill 1982,
    "Algorithm AS 183: An Efficient and Portable Pseudo-random Number Generator".

    Args:
        state: int32 `(batch, 3)`.

    Returns:
        `(u, state)`, u float32 `(batch,)` in `[0, 1)`.

    Example:

    >>> u, state = next_uniform(seed_rows(0, 2))
    >>> ops.convert_to_numpy(u * 2**24).astype(int).tolist()
    [5719778, 686370]
    """
    state = ops.mod(state * MULTIPLIERS, MODULI)
    u = ops.mod(ops.sum(state * WEIGHTS, axis=1), RESOLUTION)
    return ops.cast(u, "float32") / RESOLUTION, state
