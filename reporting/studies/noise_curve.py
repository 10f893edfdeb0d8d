"""The section on the corruptions and their levels."""

from typing import Any

AGREES = 0.3  # a rank correlation nearer to 0 says little, with so few noises


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The noise curve, and how well the PSNR of denoised images predicts the accuracy."""
    noise, table = found["noise_curve.json"], found["noise_curve.csv"]
    gains = table.assign(gain=table["accuracy"] - noise["without"])
    matters = gains[gains["gain"] > p.evaluate.margin]
    return {
        "noise": noise,
        "noise_gains": gains.groupby("corruption")["gain"].agg(["min", "max"]).to_dict("index"),
        "noises_that_matter": matters.to_dict("records"),
        "says": {
            "best_is_clearest": noise["best"] == noise["clearest"],
            "clear_images_say_little": abs(noise["rank_correlation"]) < AGREES,
        },
    }
