"""The section on which parts of pre-training matter."""

from typing import Any


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The rows of the table, and the gains by pre-training of several networks, paired differences as fractions."""
    rows, gains = found["ablations.csv"].to_dict("records"), found["ablations.json"]["gains"]
    frozen = next(row for row in rows if (row["group"], row["value"]) == ("encoder", "frozen"))
    return {
        "ablations": rows,
        "gains_of": gains | {"freezing": frozen},
        "says": {
            "convolutions_know": gains["convolutional"]["high"] < gains["reference"]["low"],
            "pretraining_loses": any(gain["high"] < 0 for gain in gains.values()),
        },
    }
