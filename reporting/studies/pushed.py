"""The section on pre-training with more of everything, and on pseudo-labels."""

from typing import Any

from reporting.studies.ladder import rows_of

ARMS = ("without", "with", "pushed_alone", "pushed", "pseudo", "pseudo_conv", "ladder_alone")


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The results by number of labels and arm, and the gain by pre-training of the wide network."""
    pushed, rows = found["pushed.json"], rows_of("pushed", found)
    ladder = rows_of("ladder", found)[p.n_labels, "ladder"]
    return {
        "pushed": rows,
        "pushed_arms": [arm for arm in ARMS if (p.n_labels, arm) in rows],
        "pushed_gain": pushed["gain"],
        "pushed_chosen": pushed["chosen"],
        "says": {"ladder_beats_pushed": ladder["low"] > rows[p.n_labels, "pushed"]["high"]},
    }
