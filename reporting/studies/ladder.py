"""The section on ladder networks."""

import math
from typing import Any

TRAINING_IMAGES = 60_000
ARMS = ("ladder_fast", "ladder", "ladder_gamma", "ladder_conv")

FEW = 5  # of fewer label draws, each is shown in place of an interval


def rows_of(study: str, found: dict[str, Any]) -> dict[tuple[int, str], dict]:
    """A study's rows by number of labels and arm; where draws are few, with the accuracy of each, the best first."""
    table = found[f"{study}.csv"].sort_values("accuracy", ascending=False)
    draws = {place: group.tolist() for place, group in table.groupby(["n_labels", "arm"])["accuracy"]}
    rows = {(row["n_labels"], row["arm"]): row for row in found[f"{study}.json"]["rows"]}
    return {place: row | {"few": draws[place] if len(draws[place]) < FEW else []} for place, row in rows.items()}


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The results by number of labels and arm, and the ladder's number of training steps."""
    rows = rows_of("ladder", found)
    return {
        "ladder": rows,
        "ladder_arms": ARMS,
        "few": FEW,
        "ladder_steps": math.ceil(TRAINING_IMAGES / study.ladder.batch_size) * study.ladder.epochs,
        "says": {
            "bfloat16": study.ladder.products == "bfloat16",
            "ladder_beats_all_labels": rows[p.n_labels, "ladder"]["low"]
            > found["label_curve.json"]["rows"][-1]["with"],
        },
    }
