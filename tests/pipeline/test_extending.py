"""The recipes of docs/extending.md, applied to a clone as they stand there, and run, all studies too: pytest -m slow"""

import re
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import Project

from stages import _sources
from tools.small import change

pytestmark = pytest.mark.slow

NEW = {"corruption": "speckle", "dataset": "turned"}


@pytest.fixture(scope="module")
def extended(project, root, mnist, tmp_path_factory):
    """The project after all changes of the page, run with the new data set, corruption, network, stage and so on."""
    page = (root / "docs" / "extending.md").read_text()
    changes = re.findall(r"(?m)^(?:`([^`\n]+)`[^\n]*:\n\n)?```(\w+)\n(.*?)^```", page, flags=re.DOTALL)
    assert len(changes) == page.count("```") // 2
    for path, kind, text in changes:
        if kind == "sh":
            project.call("bash", "-ec", text)
        else:
            apply(project.folder / path, kind, text)
    project.call(sys.executable, "-m", "tools.dependencies")
    turned = tmp_path_factory.mktemp("turned") / "mnist.npz"
    arrays = {name: array[:, ::-1, ::-1] if array.ndim == 3 else array for name, array in mnist.items()}
    np.savez(turned, **{key: arrays[name][: len(arrays[name]) // 10] for name, key in _sources.NPZ_NAMES.items()})
    change(project.folder / "params.yaml", NEW)
    # as many steps as one epoch of all of MNIST
    change(project.folder / "studies" / "params.yaml", {"noise_curve.epochs": 10})
    project.environment = project.environment | {"DAE_DATA": str(turned)}
    project.output = project.dvc("repro")
    project.call("git", "add", ".")
    project.call("git", "commit", "--quiet", "--message=extended")
    return project


def apply(path, kind, text):
    """Write a new file, or change the one place where the lines of a diff without its additions stand."""
    if kind != "diff":
        assert not path.exists()
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return
    lines = text.splitlines()
    before = "\n".join(line[1:] for line in lines if not line.startswith("+"))
    after = "\n".join(line[1:] for line in lines if not line.startswith("-"))
    content = path.read_text()
    assert content.count(before) == 1, f"{path.name}: {before}"
    path.write_text(content.replace(before, after))


def test_the_changed_pipeline_runs_whole(extended):
    ran = extended.ran(extended.output)
    assert {"download", "pretrain", "finetune", "evaluate", "mistakes", "report"} <= set(ran)
    assert "up to date" in extended.dvc("status", "dvc.yaml")


@pytest.mark.parametrize("named", ["/nowhere", ""], ids=["DAE_DATA mistyped", "no DAE_DATA"])
def test_the_new_data_set_without_its_files_is_told_of_in_plain_lines(extended, tmp_path, named):
    environment = extended.environment | {"DAE_DATA": named, "KERAS_HOME": str(tmp_path)}
    output = Project(extended.folder, environment).call(sys.executable, "-m", "stages.download", ok=False)
    errors = [line for line in output.splitlines() if line.startswith("ERROR: ")]
    assert "Traceback" not in output
    assert errors[0] == "ERROR: no source has turned:"
    assert len(errors) == 6 + bool(named)
    assert errors[-1].startswith("ERROR: set DAE_DATA to the folder that holds its four IDX files")


def test_the_new_stage_lists_what_all_runs_get_wrong(extended):
    header, *rows = (extended.folder / "reports" / "mistakes.csv").read_text().splitlines()
    assert header == "image,digit"
    labels = np.load(extended.folder / "data/raw/test_labels.npy")
    predicted = np.load(extended.folder / "data/finetune/probabilities.npy").argmax(axis=2)
    wrong = [f"{i},{digit}" for i, digit in enumerate(labels) if digit not in predicted[:, i]]
    assert rows == wrong


def test_the_new_data_set_corruption_and_network_are_used(extended, mnist):
    images = np.load(extended.folder / "data/raw/test_images.npy")
    assert np.array_equal(images, mnist["test_images"][:1000, ::-1, ::-1])
    report = (extended.folder / "reports" / "report.md").read_text()
    assert "a tenth of MNIST, turned" in report
    assert "speckle noise" in report
    script = (
        "import keras, sys\n"
        "for path in sys.argv[1:]:\n"
        "    print(keras.models.load_model(path).get_layer('encoder_1').activation.__name__)\n"
    )
    models = ["data/pretrain/dae.keras", "data/finetune/classifier.keras"]
    assert extended.call(sys.executable, "-c", script, *models).split()[-2:] == ["silu", "silu"]


def test_the_tests_of_graph_bounds_and_words_hold_for_what_is_new(extended):
    files = ["tests/pipeline/test_dag.py", "tests/stages/test_bounds.py", "tests/reporting/test_words.py"]
    extended.call(sys.executable, "-m", "pytest", *files)


def test_the_new_metric_figure_and_language_are_in_the_reports(extended):
    evaluation = extended.json("reports/evaluation.json")
    assert evaluation["with"]["top_2"]["mean"] > evaluation["with"]["accuracy"]["mean"]
    english, spanish = ((extended.folder / "reports" / name).read_text() for name in ("report.md", "informe.md"))
    assert "\n| top_2 | " in english
    assert "](figures/evaluate/recalls.en.svg)" in english
    assert "](figures/evaluate/recalls.es.svg)" in spanish
    assert re.search(r"\*Figure \d+\. Recall of each class", spanish)
    assert re.search(r"\d,\d\d%", spanish)
    page = (extended.folder / "reports" / "report.html").read_text()
    assert re.findall(r'data-set-language="(\w+)"', page) == ["en", "es", "pt"]


def test_the_studies_hang_off_the_main_pipeline_which_leaves_them_alone(extended):
    assert not (extended.folder / "reports" / "studies").exists()
    output = extended.dvc("repro", "studies/dvc.yaml:tune", "studies/dvc.yaml:label_curve")
    ran = re.findall(r"Running stage 'studies/dvc.yaml:(\w+)'", output)
    assert sorted(ran) == ["label_curve", "tune"]
    found = extended.json("reports/studies/tune.json")
    assert found["with"]["chosen"]["way"] == found["without"]["chosen"]["way"] == "free"
    assert {"frozen", "frozen_first"} <= set(found["with"])
    tried = (extended.folder / "reports" / "studies" / "tune.csv").read_text().splitlines()
    assert [line.split(",")[-1] for line in tried[1:]].count("True") == 2
    rows = extended.json("reports/studies/label_curve.json")["rows"]
    assert [row["n_labels"] for row in rows] == [50, 100, 200]
    assert rows[-1]["without"] > rows[0]["without"]
    kept = {path: path.stat().st_mtime_ns for path in (extended.folder / "data/studies/kept").iterdir()}
    again = extended.dvc("repro", "--single-item", "--force", "studies/dvc.yaml:tune")
    assert len(re.findall(r"question \d+/\d+ ", again)) >= 6
    assert {path: path.stat().st_mtime_ns for path in (extended.folder / "data/studies/kept").iterdir()} == kept
    assert extended.call("git", "status", "--porcelain", "--untracked-files=no") == ""
    extended.call("git", "add", ".")
    extended.call("git", "commit", "--quiet", "--message=studies")


def test_every_study_runs(extended):
    """With little training; what each of them finds is of no interest, but all of it is there and sound."""
    output = extended.dvc("repro", "--all-pipelines")
    studies = yaml.safe_load((extended.folder / "studies" / "dvc.yaml").read_text())["stages"]
    ran = set(
        re.findall(r"Stage 'studies/dvc.yaml:(\w+)' didn't change|Running stage 'studies/dvc.yaml:(\w+)'", output)
    )
    assert {name for names in ran for name in names if name} == set(studies)
    assert "Traceback" not in output
    assert output.index("studies/dvc.yaml:tune'") < output.index("studies/dvc.yaml:controls'")
    controls, metrics = extended.json("reports/studies/controls.json"), extended.json("reports/metrics.json")
    assert controls["contrasts"]["gain"]["accuracy"]["mean"] == pytest.approx(metrics["gain"], abs=2e-5)
    noise = pd.read_csv(extended.folder / "reports/studies/noise_curve.csv")
    levels = [("none", 0.0), ("masking", 0.5), ("masking", 0.7), ("gaussian", 0.5)]
    assert sorted(zip(noise["corruption"], noise["level"], strict=True)) == sorted(levels)
    assert (noise["accuracy"] > 0.3).all() and (noise["psnr_denoised"].iloc[1:] > noise["psnr_noisy"].iloc[1:]).all()
    ablations = pd.read_csv(extended.folder / "reports/studies/ablations.csv")
    assert {"reference", "encoder", "weights", "epochs", "depth", "code", "anchor"} <= set(ablations["group"])
    dead = (ablations["group"] == "code") & (ablations["value"] == "4")  # if ReLU units, all may be dead
    assert dead.sum() == 1 and (ablations[~dead]["accuracy"] > 0.1).all(), ablations.to_string()  # chance
    for page in ("studies.md", "estudos.md", "studies.html"):
        text = (extended.folder / "reports/studies" / page).read_text()
        assert not re.search(
            r"\b(nan|None|inf)\b", re.sub(r"<script.*?</script>|base64,[^\"]*", "", text, flags=re.DOTALL)
        ), page


def test_the_ladder_and_the_pushed_arms_stand_beside_the_label_curve(extended):
    """On its draws: the arm with pre-training, trained once more as a teacher, is as accurate as it was there."""
    extended.dvc("repro", "studies/dvc.yaml:pushed")
    names = ("ladder", "pushed", "label_curve")
    ladder, pushed, curve = (pd.read_csv(extended.folder / f"reports/studies/{name}.csv") for name in names)
    for n_labels, more in ((100, True), (200, False)):
        ladders, arms, known = (table[table["n_labels"] == n_labels] for table in (ladder, pushed, curve))
        assert set(ladders["arm"]) == {"ladder", "ladder_gamma", "ladder_conv"} | ({"ladder_fast"} if more else set())
        own = {"without", "with", "pushed", "pushed_alone", "pseudo", "pseudo_conv"}
        assert set(arms["arm"]) == own | ({"ladder_alone"} if more else set())
        for arm in ("without", "with"):
            assert arms[arms["arm"] == arm]["accuracy"].tolist() == known[arm].tolist()
    # this arm learns nothing: the better of its two random configurations takes 54 steps at a rate of 0.00007
    learnt = pushed[pushed["arm"] != "pushed"]
    for table in (ladder, learnt):
        assert (table["accuracy"] > 0.3).all(), table.to_string()
    assert (extended.folder / "reports/studies/figures/pushed/pushed.pt.svg").stat().st_size


def test_the_new_study_runs_and_has_its_section_in_each_language(extended):
    folder = extended.folder / "reports" / "studies"
    assert (folder / "patience.csv").read_text().startswith("steps,without,with\n100,")
    english, portuguese, spanish = ((folder / f"{name}.md").read_text() for name in ("studies", "estudos", "estudios"))
    (number,) = re.findall(r"\n## (\d)\. How long to train\?\n", english)
    assert (
        int(number) == len(re.findall(r"\n## \d+\. ", english)) - 1
    )  # the sources come after it; published results are of MNIST
    assert f"\n## {number}. Quanto tempo treinar?\n" in portuguese
    assert f"\n## {number}. How long to train?\n" in spanish  # not translated yet
    assert "With 200 steps: " in english
