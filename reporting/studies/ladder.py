"""The section on ladder networks."""

import math
from typing import Any

TRAINING_IMAGES = 60_000
ARMS = ("ladder_fast", "ladder", "ladder_gamma", "ladder_conv")


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The results by number of labels and arm, and the ladder's number of training steps."""
    rows = {(row["n_labels"], row["arm"]): row for row in found["ladder.json"]["rows"]}
    return {
        "ladder": rows,
        "ladder_arms": ARMS,
        "ladder_steps": math.ceil(TRAINING_IMAGES / study.ladder.batch_size) * study.ladder.epochs,
        "says": {
            "bfloat16": study.ladder.products == "bfloat16",
            "ladder_beats_all_labels": rows[p.n_labels, "ladder"]["low"]
            > found["label_curve.json"]["rows"][-1]["with"],
        },
    }
