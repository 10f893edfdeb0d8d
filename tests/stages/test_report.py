import re

import pandas as pd
import pytest

from stages._params import load_params
from stages._text import number
from stages.report import render

SENTENCES = {
    "better": ("**With pre-training the network is better**", "**Com o pré-treinamento a rede é melhor**"),
    "worse": ("**With pre-training the network is worse**", "**Com o pré-treinamento a rede é pior**"),
    "equivalent": ("makes no practical difference**", "não há diferença prática**"),
    "inconclusive": ("does not tell whether", "não permite dizer se"),
}


@pytest.fixture
def facts(root):
    def make(verdict="better", mean=0.021, low=0.011, high=0.031, replicates=20, noisy=10.25):
        params = load_params(root / "params.yaml").model_copy(update={"replicates": replicates})
        names = ["accuracy", "error", "macro_f1", "log_loss", "brier", "calibration_error"]
        summary = {"mean": 0.87654, "std": 0.00512, "low": 0.86, "high": 0.89}
        arm = {name: dict(summary) for name in names} | {"recall": {str(c): 0.8 + c / 100 for c in range(10)}}
        difference = {name: {"mean": mean, "std": 0.01, "low": low, "high": high} for name in names}
        difference["accuracy"] |= {"two_way_low": low, "two_way_high": high}
        difference["accuracy"] |= {"p_value": 0.012, "effect_size": 2.5, "win_probability": 0.98}
        sources = ["label_draw", "initialisation", "dae", "test_images"]
        return {
            "p": params,
            "metrics": {
                "verdict": verdict,
                "difference": difference,
                "with": arm,
                "without": arm,
                "spread": dict.fromkeys(sources, 0.002),
            },
            "spread_shares": dict.fromkeys(sources, 0.25),
            "n_runs": 29,
            "repeats": 9,
            "difference": difference["accuracy"],
            "verdict": verdict,
            "wins": 17,
            "recall_gains": {str(c): (c - 5) / 100 for c in range(10)},
            "most": "9",
            "least": "0",
            "reconstruction": {
                "psnr": {"noisy": noisy, "denoised": 20.5, "pca": 15.125},
                "ssim": {"noisy": 0.4, "denoised": 0.85, "pca": 0.6},
                "mse": {"noisy": 0.05, "denoised": 0.01, "pca": 0.03},
            },
            "by_class": pd.DataFrame({"denoised": [20.0 + c for c in range(10)]}, index=[str(c) for c in range(10)]),
            "pretraining": [0.19, 0.09],
            "final_loss": {"with": 0.01, "without": 0.02},
            "n_train": 60_000,
            "n_test": 10_000,
            "n_pixels": 784,
            "n_parameters": {"tied": 600_000, "untied": 1_100_000},
        }

    return make


@pytest.mark.parametrize("verdict", SENTENCES)
@pytest.mark.parametrize("language", ["en", "pt"])
def test_the_verdict_is_one_quoted_sentence(facts, verdict, language):
    quoted = [line for line in render(language, facts(verdict)).splitlines() if line.startswith("> ")]
    assert len(quoted) == 1
    assert SENTENCES[verdict][language == "pt"] in quoted[0]
    others = [sentence[language == "pt"] for name, sentence in SENTENCES.items() if name != verdict]
    assert not any(sentence in quoted[0] for sentence in others)


@pytest.mark.parametrize("verdict", SENTENCES)
def test_both_languages_have_the_same_content(facts, verdict, assert_equal_content):
    assert_equal_content(render("en", facts(verdict)), render("pt", facts(verdict)), numbers=80)


@pytest.mark.parametrize("language", ["en", "pt"])
def test_one_replicate_and_no_noise_give_a_report_without_gaps(facts, language):
    text = render(language, facts("inconclusive", low=None, high=None, replicates=1, noisy=None))
    assert "None" not in text
    assert "nan" not in text
    assert ("single replicate" if language == "en" else "única réplica") in text


@pytest.mark.parametrize("language", ["en", "pt"])
def test_tables_have_as_many_cells_in_every_row(facts, language):
    for table in re.findall(r"(?m)(?:^\|.*\n)+", render(language, facts())):
        rows = table.splitlines()
        assert len(rows) > 2
        assert len({row.replace(r"\|", "").count("|") for row in rows}) == 1


def test_numbers_are_written_as_the_language_does():
    assert number("en", 60000.5, 1) == "60,000.5"
    assert number("pt", 60000.5, 1) == "60.000,5"
    assert number("en", -0.021, 2, "+") == "−0.02"
    assert number("pt", None) == "–"
