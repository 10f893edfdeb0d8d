"""The section on ladder networks and pseudo-labels."""

import math
from typing import Any

TRAINING_IMAGES = 60_000


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The results by number of labels and arm, the threshold, and the ladder's number of training steps."""
    rows = {(row["n_labels"], row["arm"]): row for row in found["ladder.json"]["rows"]}
    ladder, pushed = rows[p.n_labels, "ladder"], rows[p.n_labels, "pushed"]
    return {
        "ladder": rows,
        "ladder_threshold": found["ladder.json"]["threshold"],
        "ladder_steps": math.ceil(TRAINING_IMAGES / study.ladder.batch_size) * study.ladder.epochs,
        "says": {
            "bfloat16": study.ladder.products == "bfloat16",
            "ladder_beats_pushed": ladder["low"] > pushed["high"],
            "ladder_beats_all_labels": ladder["low"] > found["label_curve.json"]["rows"][-1]["with"],
        },
    }
