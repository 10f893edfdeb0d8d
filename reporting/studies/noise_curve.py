"""The section on the corruptions and their levels."""

from typing import Any

AGREES = 0.3  # a rank correlation nearer to 0 says little, with so few noises


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
            "clear_images_say_little": abs(noise["rank_correlation"]) < AGREES,
        },
    }
