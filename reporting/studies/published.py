"""The section on published results."""

from typing import Any

LABELS = (100, 600, 1000)  # numbers of labels of the published results
OURS = ("pushed", "pseudo", "ladder_gamma", "ladder", "ladder_conv")  # arms of the studies pushed and ladder


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The published test errors, and ours with the same numbers of labels, fractions; None where we have none."""
    curve = {row["n_labels"]: row for row in found["label_curve.json"]["rows"]}
    rows = found["pushed.json"]["rows"] + found["ladder.json"]["rows"]
    others = {(row["n_labels"], row["arm"]): row["accuracy"] for row in rows}
    accuracies = {arm: [curve.get(n, {}).get(arm) for n in LABELS] for arm in ("with", "without")}
    accuracies |= {arm: [others.get((n, arm)) for n in LABELS] for arm in OURS}
    return {
        "published": found["published.csv"].to_dict("records"),
        "curve_replicates": min((row["replicates"] for n, row in curve.items() if n in LABELS), default=0),
        "ours": [
            {"arm": arm, "errors": [None if value is None else 1 - value for value in values]}
            for arm, values in accuracies.items()
        ],
    }
