"""Independent random streams, all derived from one seed."""

import zlib

import numpy as np


def derive(seed: int, *names: str | int) -> int:
    """A seed in [0, 2**31) for the stream called `names`, independent of every other stream's.

    Mixing follows NumPy's SeedSequence (O'Neill 2015). Adding streams never changes those that are there, so a
    run of 30 replicates begins with the same 20 as a run of 20.
    """
    keys = [zlib.crc32(str(name).encode()) for name in names]
    return int(np.random.SeedSequence([seed, *keys]).generate_state(1)[0] >> 1)
