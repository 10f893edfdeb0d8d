"""Draw the labelled images of every replicate, and plan its runs: data/split/."""

import numpy as np
import pandas as pd

from dae.sampling import draw_labelled
from dae.seeds import derive
from stages._params import Params
from stages._stage import StageError, load_array, run, save_array, save_table


def main(params: Params) -> None:
    labels = load_array("data/raw/train_labels.npy")
    try:
        draws = [
            draw_labelled(labels, params.n_labels, derive(params.seed, "split", r), params.split.stratified)
            for r in range(params.replicates)
        ]
    except ValueError as error:
        raise StageError(f"n_labels is {params.n_labels}, with split.stratified: {error}") from error
    save_array("data/split/draws.npy", np.stack(draws))
    save_table("data/split/runs.csv", plan(params), digits=10)


def plan(params: Params) -> pd.DataFrame:
    """One row a run: its draw of labelled images, its seed, its dAE, and whether it repeats a draw.

    Replicates take the dAEs in turn. The repeats take them so that, over as many repeats as the square of the number of
    dAEs, every pair of dAEs meets on a draw as often.
    """
    models, repeats = params.pretrain.models, min(params.split.repeats, params.replicates)
    first = [(r, derive(params.seed, "replicate", r), r % models, False) for r in range(params.replicates)]
    again = [(r, derive(params.seed, "repeat", r), r // models % models, True) for r in range(repeats)]
    return pd.DataFrame(first + again, columns=["draw", "seed", "dae", "repeat"])


if __name__ == "__main__":
    run(main)
