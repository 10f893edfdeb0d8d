"""The section on the number of labels."""

from typing import Any


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The label curve, and its numbers of labels by the verdict at each."""
    curve = found["label_curve.json"]
    verdicts: dict[str, list[int]] = {}
    for row in curve["rows"]:
        verdicts.setdefault(row["verdict"], []).append(row["n_labels"])
    return {"curve": curve, "labels_by_verdict": verdicts}
