"""The section on the best settings of each arm."""

from typing import Any


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The configurations tried and chosen, and those that freeze the encoder."""
    table, tune = found["tune.csv"], found["tune.json"]
    free = table[table["way"] == "free"]
    first = free[free["draws"] >= study.tune.draws[0]]
    return {
        "tune": tune,
        "ranges": {arm: rows["first_draws"].agg(["min", "max"]).to_dict() for arm, rows in first.groupby("arm")},
        "n_free": free.groupby("arm").size().to_dict(),
        "n_daes": sum(map(len, study.tune.daes.levels.values())) * len(study.tune.daes.epochs),
        "says": {
            "on_an_edge": bool(tune["with"]["edges"] or tune["without"]["edges"]),
            "freezing_was_tried": "frozen" in tune["with"],
        },
    }
