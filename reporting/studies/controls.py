"""The section on the controls."""

from typing import Any


def facts(found: dict[str, Any], p: Any, study: Any) -> dict[str, Any]:
    """The rows, their contrasts, and which way those went that the text explains; differences are fractions."""
    controls = found["controls.json"]
    contrasts = controls["contrasts"]

    def differs(name: str) -> bool:
        return contrasts[name]["accuracy"]["low"] > 0

    return {
        "controls": controls,
        "contrasts": contrasts,
        "rows_of": controls["rows"],
        "says": {
            "settings_are_not_the_cause": differs("gain_settings_of_with") and differs("gain_settings_of_without"),
            "features_matter": differs("features"),
            "sizes_help": differs("shuffled"),
            "noise_helps": differs("noise"),
            "plain_helps": differs("plain"),
            "noise_helps_without_masking": differs("noise_unmasked"),
            "beats_two": differs("averaged_2"),
            "beats_four": differs("averaged_4"),
            "pays_when_moved": differs("gain_moved"),
            "hurts_when_moved": contrasts["gain_moved"]["accuracy"]["high"] < 0,
            "pays_elsewhere": differs("gain_elsewhere"),
        },
    }
