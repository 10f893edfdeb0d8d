"""Shows how far a long stage is."""

import time

from tqdm import tqdm


class Progress:
    """Shows progress: a bar on a terminal; in a log, a line for each step with the time taken so far.

    Args:
        total: number of steps.
        unit: what a step is, such as "epoch".
    """

    def __init__(self, total: int, unit: str):
        self.total, self.unit, self.done, self.start = total, unit, 0, time.monotonic()
        self.bar = tqdm(total=total, unit=unit, disable=None)

    def step(self, note: str = "") -> None:
        """Count one step, and show `note` beside the count."""
        self.done += 1
        self.bar.set_postfix_str(note, refresh=False)
        self.bar.update()
        if self.bar.disable:
            seconds = time.monotonic() - self.start
            print(f"{self.unit} {self.done}/{self.total}  {seconds:.0f} s  {note}".rstrip(), flush=True)
        elif self.done == self.total:
            self.bar.close()
