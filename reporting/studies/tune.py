"""The section on the best settings of each arm."""

from typing import Any


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The configurations tried and chosen, and those that freeze the encoder."""
    table, tune = found["tune.csv"], found["tune.json"]
    free = table[table["way"] == "free"]
    return {
        "tune": tune,
        "ranges": {arm: rows["accuracy"].agg(["min", "max"]).to_dict() for arm, rows in free.groupby("arm")},
        "n_daes": sum(map(len, study.tune.daes.levels.values())) * len(study.tune.daes.epochs),
        "n_near": sum(study.tune.near),
        "n_draws": sum(study.tune.draws),
        "says": {
            "on_an_edge": bool(tune["with"]["edges"] or tune["without"]["edges"]),
            "freezing_was_tried": "frozen" in tune["with"],
        },
    }
