"""The section on the corruptions and their levels."""

from typing import Any

AGREES = 0.3  # a rank correlation of at least this says that clear images go with good classifiers


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The noise curve, and how well the PSNR of denoised images predicts the accuracy."""
    noise = found["noise_curve.json"]
    return {
        "noise": noise,
        "says": {
            "best_is_clearest": noise["best"] == noise["clearest"],
            "clear_images_say_little": noise["rank_correlation"] < AGREES,
        },
    }
