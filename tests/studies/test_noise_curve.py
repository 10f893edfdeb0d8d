import json
from pathlib import Path

import pandas as pd
import pytest

from stages._classifiers import classifier_settings
from stages._daes import dae_settings
from stages.common.params import load_params
from studies import noise_curve
from studies._params import load_study_params
from studies._study import Study

FOUND = {  # accuracies, PSNR
    ("masking", 0.0): ([0.80, 0.84], 25.0),
    ("masking", 0.3): ([0.88, 0.92], 20.0),
    ("masking", 0.7): ([0.86, 0.86], 22.0),
    ("gaussian", 0.5): ([0.84, 0.84], 21.0),
}


@pytest.fixture
def curve(root, small_study, monkeypatch, drawn_by):
    """Run the study with known accuracies in place of trainings; gives the parameters, the dAEs asked for, the plot.

    The PSNR of the first of two dAEs is half a decibel less than in the table, and that of the second half more.
    """
    asked = []
    params, study_params = load_params(root / "params.yaml"), load_study_params(root / "studies" / "params.yaml")

    def pretrain(self, name, settings):
        first, second = settings
        assert first == second
        asked.append((name, first))
        noise, psnr = first.noise, FOUND[first.corruption, first.noise][1]
        return [
            (
                [(first.corruption, noise, number)],
                # images without noise are as they were, which has no PSNR
                {"noisy": 10 + noise + aside if noise else None, "denoised": psnr + aside},
            )
            for number, aside in enumerate((-0.5, 0.5))
        ]

    def test(self, name, draws, settings, encoders):
        """The draws and the seeds are those of the study label_curve."""
        assert name == "label curve 500"
        assert [rows.tolist() for rows in draws] == [self.draw(name, r, 500).tolist() for r in (0, 1)]
        pretrained = encoders != [[]]
        assert settings == classifier_settings(params, "finetune" if pretrained else "baseline")
        if not pretrained:
            return [0.78, 0.82]
        ((*kind, first),), ((*other, second),) = encoders
        assert (kind, first, second) == (other, 0, 1)
        return FOUND[tuple(kind)][0]

    monkeypatch.setattr(Study, "pretrain", pretrain)
    monkeypatch.setattr(Study, "test", test)
    drawn = drawn_by(noise_curve)
    changes = {"levels": {"masking": [0.7, 0.3], "gaussian": [0.5]}, "replicates": 2, "epochs": 4, "models": 2}
    settings = study_params.noise_curve.model_copy(update=changes)
    noise_curve.main(params, study_params.model_copy(update={"noise_curve": settings}))
    return params, asked, drawn


def test_the_best_noise_the_clearest_images_and_their_rank_correlation(curve):
    """Of the noises, the PSNR has the ranks 1, 3, 2 and the accuracy 3, 2, 1: 1 - 6 * (4 + 1 + 1) / (3 * 8) = -0.5."""
    assert json.loads(Path("reports/studies/noise_curve.json").read_text()) == {
        "without": 0.8,
        "plain": 0.82,
        "best": {"corruption": "masking", "level": 0.3, "accuracy": 0.9, "psnr": 20.0},
        "clearest": {"corruption": "none", "level": 0.0, "accuracy": 0.82, "psnr": 25.0},
        "rank_correlation": -0.5,
    }


def test_the_table_has_the_plain_autoencoder_first_and_levels_in_order(curve):
    """Differences are from no pre-training, in pairs: of two, half of the interval is 12.70620 times half their range.

    The plain autoencoder is 0.02 better in both; masking at 0.7 is better by 0.08 and by 0.04, so 0.06 ± 0.25412.
    """
    params, asked, drawn = curve
    table = pd.read_csv("reports/studies/noise_curve.csv")
    assert list(table) == [
        "corruption",
        "level",
        "accuracy",
        "difference",
        "low",
        "high",
        "psnr_noisy",
        "psnr_denoised",
    ]
    assert table.astype(object).fillna("").to_numpy().tolist() == [
        ["none", 0, 0.82, 0.02, 0.02, 0.02, "", 25],
        ["masking", 0.3, 0.9, 0.1, 0.1, 0.1, 10.3, 20],
        ["masking", 0.7, 0.86, 0.06, -0.19412, 0.31412, 10.7, 22],
        ["gaussian", 0.5, 0.84, 0.04, -0.21412, 0.29412, 10.5, 21],
    ]
    levels = [("masking", 0), ("masking", 0.3), ("masking", 0.7), ("gaussian", 0.5)]
    assert asked == [
        (f"noise curve {kind} {level}", dae_settings(params, corruption=kind, noise=level, epochs=4))
        for kind, level in levels
    ]
    shown, margin = drawn["noise_curve"]
    assert shown["psnr_denoised"].tolist() == [25, 20, 22, 21]
    assert margin == params.evaluate.margin
