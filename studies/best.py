"""The verdict with each arm at its own best settings, on the main pipeline's replicates: reports/studies/best.json."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from dae.classifiers import train_classifiers
from dae.comparison import rounded, two_way_verdict
from dae.core.seeds import derive
from stages._classifiers import classifier_jobs, classifier_settings
from stages._encoders import load_encoders
from stages.common.files import load_array, load_json, save_json
from stages.common.params import Params
from stages.common.process import n_jobs
from stages.common.progress import Progress
from studies._params import StudyParams, run_study

SETTINGS = ("learning_rate", "dropout", "masking", "steps")


def main(params: Params, study_params: StudyParams) -> None:
    """Train both arms with the settings that the study tune chose, on the replicates without repeats, and compare."""
    best = load_json("reports/studies/tune.json")
    runs, test_labels = pd.read_csv("data/split/runs.csv").query("not repeat"), load_array("data/raw/test_labels.npy")
    encoders = load_encoders(params.pretrain.models)
    arms: dict[str, Sequence[Sequence[np.ndarray]]] = {"without": [()] * len(encoders), "with": encoders}
    progress = Progress(2 * len(runs), "run")
    correct = {}
    for arm, starts in arms.items():
        chosen = {name: best[arm][name] for name in SETTINGS}
        frozen = len(params.network.units) * best[arm]["frozen"]
        settings = replace(classifier_settings(params), **chosen, frozen=frozen)
        rows = []
        for result in train_classifiers(classifier_jobs(runs, starts), settings, min(n_jobs(), len(runs))):
            rows.append(result.probabilities.argmax(axis=1) == test_labels)
            progress.step(arm)
        correct[arm] = np.stack(rows).astype(np.int8)
    # the bootstrap draws replicates and test images, so it needs the difference on each image
    gains = correct["with"] - correct["without"]
    verdict, interval = two_way_verdict(gains, **params.evaluate.model_dump(), seed=derive(params.seed, "best"))
    low, high = interval or (None, None)
    save_json(
        "reports/studies/best.json",
        {
            "verdict": verdict,
            **{arm: rounded(correct[arm].mean()) for arm in arms},
            "difference": rounded(gains.mean()),
            "low": rounded(low),
            "high": rounded(high),
            "wins": int((gains.mean(axis=1) > 0).sum()),
            "replicates": len(runs),
        },
    )


if __name__ == "__main__":
    run_study(main)
