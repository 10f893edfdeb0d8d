"""The section on the number of labels."""

from typing import Any


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The label curve, its rows by number of labels, and whether pre-training pays at all of them."""
    curve = found["label_curve.json"]
    return {
        "curve": curve,
        "by_labels": {row["n_labels"]: row for row in curve["rows"]},
        "says": {"pays_everywhere": curve["pays_up_to"] == curve["rows"][-1]["n_labels"]},
    }
