"""The section on published results."""

from typing import Any

LABELS = (100, 600, 1000)  # numbers of labels of the published results
OURS = ("with", "without", "pushed", "pseudo", "ladder_gamma", "ladder", "ladder_conv")


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The published test errors, and ours with the same numbers of labels, fractions; None where we have none."""
    rows, curve = found["pushed.json"]["rows"] + found["ladder.json"]["rows"], found["label_curve.csv"]
    accuracies = {(row["n_labels"], row["arm"]): row["accuracy"] for row in rows}
    # both arms of the label curve, on the draws that the others have
    same = (
        curve[curve["replicate"] <= study.ladder.replicates_elsewhere].groupby("n_labels")[["with", "without"]].mean()
    )
    accuracies |= {(n, arm): accuracy for arm in same for n, accuracy in same[arm].items()}
    return {
        "published": found["published.csv"].to_dict("records"),
        "ours": [
            {"arm": arm, "errors": [1 - accuracies[n, arm] if (n, arm) in accuracies else None for n in LABELS]}
            for arm in OURS
        ],
    }
