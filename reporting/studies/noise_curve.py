"""The section on the corruptions and their levels."""

import math
from typing import Any

from scipy import stats

CHANCE = 0.05  # a rank correlation says something if chance alone would make one as far from 0 less often


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The noise curve, and how well the PSNR of denoised images predicts the accuracy."""
    noise, table = found["noise_curve.json"], found["noise_curve.csv"]
    above, below = table[table["low"] > p.evaluate.margin], table[table["high"] < -p.evaluate.margin]
    return {
        "noise": noise,
        "noise_gains": table.groupby("corruption")["difference"].agg(["min", "max"]).to_dict("index"),
        "noises_above": above.to_dict("records"),
        "noises_below": below.to_dict("records"),
        "n_noises": len(table),
        "says": {
            "best_is_clearest": noise["best"] == noise["clearest"],
            "clear_images_say_little": abs(noise["rank_correlation"]) < least((table["corruption"] != "none").sum()),
        },
    }


def least(n: int) -> float:
    """The rank correlation of `n` pairs that chance alone reaches or exceeds, of either sign, in a share of `CHANCE`.

    By the t distribution with n - 2 degrees of freedom; 1 for fewer than 3 pairs.
    """
    if n < 3:
        return 1.0
    t = stats.t.ppf(1 - CHANCE / 2, n - 2)
    return float(t / math.sqrt(n - 2 + t**2))
