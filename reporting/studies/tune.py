"""The section on the best settings of each arm."""

from typing import Any

from scipy import stats

SHRINKS = -0.3  # a rank correlation below this shows that the gain shrinks as the baseline gets better


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The settings tried and chosen, the verdict with them, and how the gain depends on the baseline's accuracy."""
    gains = found["tune_gains.csv"].to_dict("records")
    correlation = float(stats.spearmanr(found["tune_gains.csv"]["without"], found["tune_gains.csv"]["gain"]).statistic)
    return {
        "main": found["evaluation.json"],
        "tune": found["tune.json"],
        "best": found["best.json"],
        "tried": {arm: rows.sort_values("accuracy") for arm, rows in found["tune.csv"].groupby("arm")},
        "gains": gains,
        "gains_correlation": correlation,
        "says": {"tuning_shrinks_the_gain": correlation < SHRINKS and gains[0]["gain"] > gains[-1]["gain"]},
    }
