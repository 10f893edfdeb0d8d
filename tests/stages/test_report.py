import json
import re
from collections import defaultdict

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
    def make(verdict="better", mean=0.021, low=0.011, high=0.031, noisy=10.25, theory=None, **changes):
        params = load_params(root / "params.yaml").model_copy(update=changes)
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
                "worst_mse": 0.0375,
                "dead_units": 3,
            },
            "by_class": pd.DataFrame({"denoised": [20.0 + c for c in range(10)]}, index=[str(c) for c in range(10)]),
            "pretraining": [0.19, 0.09],
            "final_loss": {"with": 0.01, "without": 0.02},
            "levels": [
                {"level": 0.0, "noisy": None, "denoised": 18.5},
                {"level": 0.5, "noisy": 12.5, "denoised": 20.5},
            ],
            "theory": theory or json.loads((root / "reports" / "theory.json").read_text()),
            "n_overcomplete": 1568,
            "n_probed": 500,
            "sources": defaultdict(lambda: {"stage": "evaluate", "md5": "0123456789abcdef", "params": ["seed"]}),
            "versions": {"keras": "3.15.0"},
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
    assert_equal_content(render("en", facts(verdict)), render("pt", facts(verdict)), numbers=180)


def test_the_committed_reports_have_the_same_content(root, assert_equal_content):
    english, portuguese = ((root / "reports" / name).read_text() for name in ("report.md", "relatorio.md"))
    assert_equal_content(english, portuguese, numbers=180)


@pytest.fixture
def contrary(root) -> dict:
    """Evidence for the theory exercises that says the opposite of the committed one."""
    theory = json.loads((root / "reports" / "theory.json").read_text())
    overcomplete = theory["overcomplete"]
    overcomplete["copying"], overcomplete["denoising"] = overcomplete["denoising"], overcomplete["copying"]
    overcomplete["untrained"]["probe"] = 0.1
    theory["auroc"] = {c: 0.75 + int(c) / 100 for c in theory["auroc"]}
    for names, values in (
        (("ae_code", "pca_code"), theory["trustworthiness"]),
        (("variational", "plain"), theory["frechet"]),
    ):
        values[names[0]], values[names[1]] = values[names[1]], values[names[0]]
    for free, tied in zip(theory["tied"][::2], theory["tied"][1::2], strict=True):
        free["test"], tied["test"] = tied["test"], free["test"]
    return theory


@pytest.mark.parametrize(
    ("language", "claims"),
    [
        (
            "en",
            [
                "has the smaller error",
                "not even better than before the training",
                "keeps neighbours together better",
                "are closer to",
                "worse than chance",
                "Training can be worse than none",
                "may look more normal",
                "helps the training within this budget",
            ],
        ),
        (
            "pt",
            [
                "tem o erro menor",
                "Nem sequer são melhores que antes do treinamento",
                "mantém melhor",
                "estão mais perto",
                "pior que o acaso",
                "Treinar pode ser pior que não treinar",
                "mais normal que o normal",
                "ajuda o treinamento neste orçamento",
            ],
        ),
    ],
)
def test_what_the_theory_claims_follows_its_evidence(facts, contrary, language, claims):
    """The committed evidence has each of these outcomes, the contrary one none."""
    text, other = render(language, facts()), render(language, facts(theory=contrary))
    for claim in claims:
        assert re.search(claim, text), claim
        assert not re.search(claim.replace("mantém", "(?<!não )mantém"), other), claim


@pytest.mark.parametrize("language", ["en", "pt"])
def test_many_labels_and_another_data_set_change_the_words(facts, language):
    text = render(language, facts(n_labels=20_000, dataset="fashion_mnist", verdict="equivalent"))
    assert ("so few images" if language == "en" else "tão poucas imagens") not in text
    assert ("most are near 0 or 1" if language == "en" else "a maioria perto de 0 ou de 1") not in text
    assert not re.search(r"(?<!-)\bMNIST\b", text.replace("MNIST** 2", ""))


@pytest.mark.parametrize("language", ["en", "pt"])
def test_one_replicate_and_no_noise_give_a_report_without_gaps(facts, language):
    text = render(language, facts("inconclusive", low=None, high=None, noisy=None, replicates=1))
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
