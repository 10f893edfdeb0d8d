"""The verdict with each arm at its own best settings, on the main pipeline's replicates: reports/studies/best.json."""

from dataclasses import replace

import numpy as np
import pandas as pd

from dae import statistics
from dae.replicates import Replicate, train_replicates
from dae.seeds import derive
from stages._arm import recipe_of
from stages._params import Params
from stages._stage import Progress, load_array, load_encoders, load_images, load_json, n_jobs, save_json
from studies._params import StudyParams
from studies._run import run_study


def main(params: Params, study_params: StudyParams) -> None:
    best = load_json("reports/studies/tune.json")
    images, labels = load_images("data/raw/train_images.npy"), load_array("data/raw/train_labels.npy")
    test_images, test_labels = load_images("data/raw/test_images.npy"), load_array("data/raw/test_labels.npy")
    draws, runs = load_array("data/split/draws.npy"), pd.read_csv("data/split/runs.csv").query("not repeat")
    encoders = load_encoders(params.pretrain.models)
    progress = Progress(2 * len(runs), "run")
    correct = {}
    for arm in ("without", "with"):
        chosen = {name: best[arm][name] for name in ("learning_rate", "dropout", "masking", "steps")}
        recipe = replace(recipe_of(params), **chosen, frozen=len(params.network.units) * best[arm]["frozen"])
        replicates = (
            Replicate(
                images[draws[run.draw]],
                labels[draws[run.draw]],
                test_images,
                encoders[run.dae] if arm == "with" else (),
                run.seed,
            )
            for run in runs.itertuples()
        )
        rows = []
        for trained in train_replicates(replicates, recipe, min(n_jobs(), len(runs))):
            rows.append(trained.probabilities.argmax(axis=1) == test_labels)
            progress.step(arm)
        correct[arm] = np.stack(rows).astype(np.int8)
    gains = correct["with"] - correct["without"]
    settings = params.evaluate
    seed = derive(params.seed, "best")
    interval = statistics.two_way_bootstrap(gains, settings.confidence, settings.resamples, seed)
    low, high = interval or (None, None)
    save_json(
        "reports/studies/best.json",
        {
            "verdict": statistics.decide(interval, settings.margin),
            "without": round(float(correct["without"].mean()), 5),
            "with": round(float(correct["with"].mean()), 5),
            "difference": round(float(gains.mean()), 5),
            "low": low and round(low, 5),
            "high": high and round(high, 5),
            "wins": int((gains.mean(axis=1) > 0).sum()),
            "replicates": len(runs),
        },
    )


if __name__ == "__main__":
    run_study(main)
