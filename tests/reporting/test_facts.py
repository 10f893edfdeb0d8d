"""What the report and the studies' page print, from small files in the form that the stages and studies write."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reporting.report.facts import arithmetics, collect
from reporting.studies import ablations, noise_curve, tune
from stages import report
from stages.common.params import load_params
from studies._params import load_study_params

REPLICATES = """\
replicate,dae,repeat,arm,accuracy
1,1,False,without,0.90
2,2,False,without,0.91
3,1,False,without,0.92
1,2,True,without,0.80
1,1,False,with,0.95
2,2,False,with,0.91
3,1,False,with,0.90
1,2,True,with,0.99
"""
RECONSTRUCTION = """\
images,class,psnr,ssim,mse
noisy,all,12,0.6,0.05
noisy,0,11,0.5,0.07
noisy,1,14,0.7,0.03
denoised,all,20,0.9,0.01
denoised,0,19,0.8,0.02
denoised,1,24,0.9,0.01
pca,all,13,0.5,0.04
pca,0,12,0.5,0.04
pca,1,15,0.5,0.04
linear,all,16,0.5,0.03
linear,0,15,0.5,0.03
linear,1,18,0.5,0.03
"""
LAYERS = """\
dae,layer,units,dead,dimension,components,linear,neighbours
1,0,4,1,2,3,0.5,0.6
1,1,3,1,2,2,0.7,0.8
1,2,2,0,1,1,0.8,0.9
2,0,4,1,2,3,0.5,0.6
2,1,3,2,1,2,0.6,0.7
2,2,2,0,1,1,0.9,0.8
untrained,0,4,1,2,3,0.5,0.6
untrained,1,3,0,3,3,0.4,0.5
untrained,2,2,0,2,2,0.3,0.4
"""


@pytest.fixture
def results(root, tmp_path, monkeypatch):
    """Copies of the committed results, some of them with numbers that are few and round; gives their folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(root / "reports", tmp_path / "reports", ignore=shutil.ignore_patterns("*.png", "*.html", "studies"))
    for name in ("dvc.yaml", "pyproject.toml", "tolerances.json", "studies/published.csv", "docs/plain_keras.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(root / name, tmp_path / name)
    for name in ("raw", "split"):
        (tmp_path / "data" / name).mkdir(parents=True)
    np.save("data/raw/train_images.npy", np.zeros((7, 2, 2), np.uint8))
    np.save("data/raw/test_labels.npy", np.zeros(5, np.uint8))
    np.save("data/raw/train_labels.npy", np.array([0, 1, 1, 2, 3, 4, 5], np.uint8))
    np.save("data/split/draws.npy", np.array([[0, 1, 2], [1, 3, 4], [0, 5, 6]]))
    folder = tmp_path / "reports"
    evaluation = json.loads((folder / "evaluation.json").read_text())
    deviations = {"label_draw": 0.003, "dae": 0.0, "seed": 0.004, "test_images": 0.0, "images_by_run": 0.0}
    evaluation["spread"] = {source: {"deviation": value, "low": 0.0} for source, value in deviations.items()}
    evaluation["spread"]["total"] = {"deviation": 0.005}
    evaluation["without"]["recall"] = {"0": 0.75, "1": 0.5, "2": 0.875}
    evaluation["with"]["recall"] = {"0": 0.875, "1": 0.75, "2": 0.625}
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    (folder / "replicates.csv").write_text(REPLICATES)
    (folder / "reconstruction.csv").write_text(RECONSTRUCTION)
    (folder / "layers.csv").write_text(LAYERS)
    (folder / "noise_levels.csv").write_text("level,noisy,denoised\n0,,18\n0.3,14,19\n0.6,12,20\n0.9,11,15\n")
    (folder / "history" / "pretrain.csv").write_text(
        "dae,epoch,loss,held_out\n0,1,0.25,0.5\n0,2,0.125,0.25\n1,1,0.75,1\n1,2,0.375,0.5\n"
    )
    (folder / "history" / "finetune.csv").write_text(
        "run,step,loss\n1,10,0.5\n1,20,0.25\n3,10,0.5\n3,20,0.75\n4,10,7\n4,20,7\n"
    )
    (folder / "history" / "baseline.csv").write_text("run,step,loss\n1,10,9.0\n1,20,2.0\n2,10,9.0\n2,20,4.0\n")
    return folder


@pytest.fixture
def params(root):
    params = load_params(root / "params.yaml")
    return params.model_copy(update={"replicates": 3, "network": params.network.model_copy(update={"units": [3, 2]})})


def test_facts_worked_out_by_hand(results, params):
    facts = collect(params, report.load(params))
    assert facts["spread_shares"] == pytest.approx(
        {"label_draw": 0.36, "dae": 0, "seed": 0.64, "test_images": 0, "images_by_run": 0}
    )
    assert facts["wins"] == 1  # of three replicates: more, equal, less; the repeat does not count
    assert facts["recall_gains"] == {"0": 0.125, "1": 0.25, "2": -0.25}
    assert (facts["most"], facts["least"]) == ("1", "2")
    assert facts["n_runs"] == 3
    assert facts["repeats"] == 3  # 9 are asked for, of 3 replicates
    assert facts["final_loss"] == {"with": 0.5, "without": 3.0}  # run 4 is a repeat
    assert facts["pretraining"] == {"loss": [0.5, 0.25], "held_out": [0.75, 0.375]}
    trained, layers = facts["layers"]["trained"], facts["layers"]
    assert (layers["pixels"]["linear"], layers["untrained"][1]["neighbours"]) == (0.5, 0.4)
    assert [(row["layer"], row["all_dead"], row["linear"]) for row in trained] == [
        (1, [1, 2], pytest.approx(0.65)),
        (2, [0, 0], pytest.approx(0.85)),
    ]
    assert facts["by_class"].to_dict() == {
        "noisy": {"0": 11, "1": 14},
        "denoised": {"0": 19, "1": 24},
        "pca": {"0": 12, "1": 15},
        "linear": {"0": 15, "1": 18},
    }
    assert (facts["n_train"], facts["n_test"], facts["n_pixels"]) == (7, 5, 4)
    assert facts["levels"][0] == {"level": 0, "noisy": None, "denoised": 18}
    assert facts["levels"][1] == {"level": 0.3, "noisy": 14, "denoised": 19}
    assert facts["verdict"] == facts["metrics"]["verdict"]
    assert facts["difference"] is facts["metrics"]["difference"]["accuracy"]
    assert facts["p"] is params


def test_no_spread_at_all_has_no_shares(results, params):
    evaluation = json.loads((results / "evaluation.json").read_text())
    evaluation["spread"] = {source: {"deviation": 0.0, "low": 0.0} for source in evaluation["spread"]}
    (results / "evaluation.json").write_text(json.dumps(evaluation))
    assert set(collect(params, report.load(params))["spread_shares"].values()) == {0}


def test_the_pythons_are_those_that_the_project_supports(results):
    Path("pyproject.toml").write_text('[project]\nrequires-python = ">=3.9,<3.12"\n')
    assert report.pythons() == ("3.9", "3.11")


MEASURED = {
    "reports/metrics.json: verdict": {"committed": "better", "A": "better", "B": "worse", "tolerance": None},
    "reports/metrics.json: gain": {"committed": 0.5, "A": 0.25, "B": 0.75, "tolerance": 1.5},
    "reports/other.json: psnr": {"committed": 9.0, "A": 9.0, "B": 9.0, "tolerance": 0.03},
}


def test_the_metrics_of_other_arithmetics_stand_beside_the_reports_own():
    assert arithmetics(MEASURED, {"verdict": "better", "gain": 0.5}) == {
        "runs": ["A", "B"],
        "verdicts": {"A": "better", "B": "worse"},
        "rows": [{"name": "gain", "values": [0.5, 0.25, 0.75], "tolerance": 1.5}],
    }


@pytest.mark.parametrize("metrics", [{"verdict": "better", "gain": 0.4}, {"verdict": "worse", "gain": 0.5}, {"new": 1}])
def test_tolerances_of_other_results_are_not_shown(metrics):
    assert arithmetics(MEASURED, metrics) is None


@pytest.mark.parametrize(("noise", "start"), [(0.0, 0), (0.5, 2), (0.4, 1), (1.0, 3)])
def test_the_slider_starts_at_the_level_nearest_to_the_daes_own(results, params, monkeypatch, noise, start):
    asked = {}

    def page(texts, folder, links, slider):
        asked.update(slider)
        return "a page"

    monkeypatch.setattr(report, "page", page)
    monkeypatch.setattr(report, "render", lambda folder, language, facts: f"{language} {facts['wins']}")
    report.main(params.model_copy(update={"noise": noise}))
    assert asked["start"] == start
    assert asked["levels"] == [0, 0.3, 0.6, 0.9]
    assert [row["denoised"] for row in asked["psnr"]] == [18, 19, 20, 15]
    assert (results / "report.md").read_text() == "en 1"
    assert (results / "relatorio.md").read_text() == "pt 1"
    assert (results / "report.html").read_text() == "a page"


@pytest.mark.parametrize(
    ("edges", "ways", "on_an_edge", "freezing_was_tried"),
    [
        ({"with": [], "without": []}, ("frozen", "frozen_first"), False, True),
        ({"with": [], "without": ["steps"]}, (), True, False),
        ({"with": ["noise"], "without": []}, (), True, False),
    ],
)
def test_the_facts_of_the_search(root, params, edges, ways, on_an_edge, freezing_was_tried):
    rows = [
        ("without", "free", 0.75, 0.5),
        ("without", "free", 0.5, None),  # one near the best, which nobody with one draw tries
        ("with", "free", 0.875, 0.625),
        ("with", "free", 0.625, 0.75),
        ("with", "frozen", 1.0, None),
        ("with", "frozen_first", 0.125, None),
    ]
    study = load_study_params(root / "studies" / "params.yaml")
    changes = {"near": [3, 4], "draws": [2, 1, 4]}
    daes = study.tune.daes.model_copy(update={"levels": {"masking": [0.5, 0.75], "gaussian": [1.0]}, "epochs": [2, 4]})
    study = study.model_copy(update={"tune": study.tune.model_copy(update=changes | {"daes": daes})})
    found = {
        "tune.csv": pd.DataFrame(rows, columns=["arm", "way", "accuracy", "one_draw"]),
        "tune.json": {arm: {"edges": edges[arm]} | (dict.fromkeys(ways) if arm == "with" else {}) for arm in edges},
    }
    assert tune.facts(found, params, study) == {
        "tune": found["tune.json"],
        "ranges": {"without": {"min": 0.5, "max": 0.75}, "with": {"min": 0.625, "max": 0.875}},
        "n_daes": 6,
        "n_near": 7,
        "n_draws": 7,
        "says": {"on_an_edge": on_an_edge, "freezing_was_tried": freezing_was_tried},
    }


@pytest.mark.parametrize(("rank_correlation", "little"), [(-0.96, False), (-0.94, True), (0.94, True), (0.96, False)])
def test_the_facts_of_the_noise_curve(params, rank_correlation, little):
    """Tables have 0.950 as the critical value of a correlation of 4 pairs at 5%, two-sided."""
    table = pd.DataFrame(
        [
            ("none", 0.0, 0.01, 0.005, 0.015),  # at the margin, and not beyond it
            ("masking", 0.3, 0.02, -0.01, 0.05),
            ("masking", 0.7, 0.03, 0.006, 0.05),
            ("gaussian", 0.5, -0.02, -0.03, -0.006),
            ("gaussian", 1.0, -0.02, -0.03, -0.005),  # at minus the margin
        ],
        columns=["corruption", "level", "difference", "low", "high"],
    )
    noise = {"best": {"level": 0.7}, "clearest": {"level": 0.0}, "rank_correlation": rank_correlation}
    found = noise_curve.facts({"noise_curve.csv": table, "noise_curve.json": noise}, params, None)
    assert found == {
        "noise": noise,
        "noise_gains": {
            "none": {"min": 0.01, "max": 0.01},
            "masking": {"min": 0.02, "max": 0.03},
            "gaussian": {"min": -0.02, "max": -0.02},
        },
        "noises_above": [{"corruption": "masking", "level": 0.7, "difference": 0.03, "low": 0.006, "high": 0.05}],
        "noises_below": [{"corruption": "gaussian", "level": 0.5, "difference": -0.02, "low": -0.03, "high": -0.006}],
        "n_noises": 5,
        "says": {"best_is_clearest": False, "clear_images_say_little": little},
    }
    noise["clearest"] = {"level": 0.7}
    assert noise_curve.facts({"noise_curve.csv": table, "noise_curve.json": noise}, params, None)["says"] == {
        "best_is_clearest": True,
        "clear_images_say_little": little,
    }


@pytest.mark.parametrize(("high", "know"), [(0.04, False), (0.039, True)])
def test_the_facts_of_the_ablations(params, high, know):
    """Convolutions are found to gain less only if their whole interval lies below that of the usual network."""
    rows = [
        {"group": "reference", "value": "with", "accuracy": 0.875, "difference": 0.0},
        {"group": "weights", "value": "frozen", "accuracy": 0.75, "difference": -0.125},
        {"group": "encoder", "value": "frozen", "accuracy": 0.5, "difference": -0.375},
    ]
    gains = {
        "reference": {"difference": 0.05, "low": 0.04, "high": 0.06},
        "convolutional": {"difference": 0.03, "low": 0.02, "high": high},
        "convolutional_moved": {"difference": 0.01, "low": -0.01, "high": 0.02},
    }
    found = {"ablations.csv": pd.DataFrame(rows), "ablations.json": {"gains": gains}}
    assert ablations.facts(found, params, None) == {
        "ablations": rows,
        "gains_of": gains | {"freezing": rows[2]},
        "says": {"convolutions_know": know, "pretraining_loses": False},
    }
    gains["convolutional_moved"] = {"difference": -0.01, "low": -0.02, "high": -0.001}
    assert ablations.facts(found, params, None)["says"]["pretraining_loses"]
