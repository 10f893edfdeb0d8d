"""The section on which parts of pre-training matter."""

from typing import Any


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The rows of the table, and the gains by pre-training of several networks; accuracies are fractions."""
    rows = found["ablations.csv"].to_dict("records")
    accuracy = {(row["group"], row["value"]): row["accuracy"] for row in rows}
    groups = {"plain": "reference", "convolutional": "convolutional", "moved": "convolutional_moved"}
    gains = {name: accuracy[group, "with"] - accuracy[group, "without"] for name, group in groups.items()}
    gains["freezing"] = accuracy["encoder", "frozen"] - accuracy["reference", "with"]
    return {
        "ablations": rows,
        "gains_of": gains,
        "says": {"convolutions_know": gains["convolutional"] < gains["plain"] / 2},
    }
