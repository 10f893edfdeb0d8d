"""The section on the number of labels."""

from typing import Any


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The label curve, and whether pre-training pays at all of its numbers of labels."""
    curve = found["label_curve.json"]
    return {
        "curve": curve,
        "says": {"pays_everywhere": curve["pays_up_to"] == curve["rows"][-1]["n_labels"]},
    }
