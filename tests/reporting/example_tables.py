"""Tables of results, of the form that the functions that draw get."""

import pandas as pd

LABEL_CURVE = pd.DataFrame(
    {
        "n_labels": [100, 100, 1000, 1000],
        "without": [0.80, 0.84, 0.90, 0.94],
        "with": [0.88, 0.92, 0.95, 0.97],
    }
)
LABEL_ROWS = [
    {"n_labels": 100, "difference": 0.08, "low": 0.07, "high": 0.09},
    {"n_labels": 1000, "difference": 0.04, "low": -0.01, "high": 0.09},
]
PUSHED = pd.DataFrame(
    [
        (n_labels, arm, accuracy)
        for arm, accuracies in {
            "without": (0.80, 0.82, 0.90),
            "with": (0.84, 0.86, 0.92),
            "pushed": (0.90, 0.92, 0.94),
            "pushed_alone": (0.82, 0.84, 0.91),
            "pseudo": (0.88, 0.90, 0.93),
            "pseudo_conv": (0.93, 0.95, 0.97),
            "ladder_gamma": (0.95, 0.97, 0.975),
            "ladder": (0.96, 0.98, 0.985),
            "ladder_conv": (0.97, 0.99, 0.99),
        }.items()
        for n_labels, accuracy in zip((100, 100, 1000), accuracies, strict=True)
    ],
    columns=["n_labels", "arm", "accuracy"],
)
NOISE_CURVE = pd.DataFrame(
    [
        ("none", 0.0, 0.01, -0.01, 0.03, 25.0),
        ("masking", 0.3, 0.05, 0.03, 0.07, 22.0),
        ("masking", 0.7, 0.07, 0.04, 0.1, 18.0),
        ("gaussian", 0.5, 0.03, 0.02, 0.04, 21.0),
        ("salt_and_pepper", 0.2, -0.02, -0.05, 0.02, 20.0),
    ],
    columns=["corruption", "level", "difference", "low", "high", "psnr_denoised"],
)
TUNE = pd.DataFrame(
    [
        ("without", "free", 0.001, 0.80, 1, False),
        ("without", "free", 0.003, 0.85, 4, True),
        ("with", "free", 0.0001, 0.90, 4, False),
        ("with", "free", 0.0003, 0.92, 2, True),
        ("with", "frozen", 0.01, 0.88, 4, True),
    ],
    columns=["arm", "way", "learning_rate", "accuracy", "draws", "chosen"],
)
BINS = pd.DataFrame(
    [
        ("without", False, 10, 0.5, 0.25),
        ("without", False, 90, 0.875, 0.75),
        ("with", False, 100, 0.75, 0.5),
        ("without", True, 100, 0.625, 0.6875),
        ("with", True, 40, 0.4375, 0.375),
        ("with", True, 60, 0.5625, 0.5),
    ],
    columns=["arm", "calibrated", "images", "confidence", "accuracy"],
)


def spread(mean: float, width: float = 0.0625) -> dict:
    """A mean over several trainings, with its lowest and its highest value."""
    return {"mean": mean, "low": mean - width, "high": mean + width}
