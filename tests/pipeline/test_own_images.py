"""The whole pipeline on images of one's own, imported as the README says: pytest -m slow"""

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import Project
from PIL import Image
from skimage.data import lfw_subset
from sklearn.datasets import load_digits

from stages.common.params import load_params
from tools.small import change

pytestmark = pytest.mark.slow


def use(project: Project, source: Path, *options: str, **changes) -> Project:
    project.call(sys.executable, "-m", "tools.import_images", str(source), *options)
    change(project.folder / "params.yaml", {"dataset": "own", **changes})
    project.output = project.dvc("repro")
    return project


@pytest.fixture(scope="module")
def digits(project, tmp_path_factory) -> Project:
    """Digits of 8 by 8 pixels, of which 150 have a label, and all of these are used."""
    found = load_digits()
    source = tmp_path_factory.mktemp("digits") / "digits.npz"
    labels = np.where(np.arange(len(found.target)) < 1500 - 187, -1, found.target)
    held = np.arange(len(found.target)) >= 1500
    np.savez(
        source,
        x_train=found.images[~held],
        y_train=labels[~held],
        x_test=found.images[held],
        y_test=found.target[held],
        classes=np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]),
    )
    return use(project, source, "--title", "Small digits", n_labels=500)


@pytest.fixture(scope="module")
def faces(small, root, tmp_path_factory) -> Project:
    """Faces and backgrounds of 25 by 25 pixels, in folders; with the codes of params.yaml, some of them too wide."""
    folder = tmp_path_factory.mktemp("faces")
    for i, image in enumerate(lfw_subset()):
        of = folder / "faces" / "train" / ("face" if i < 100 else "background")
        of.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.round(255 * image).astype(np.uint8)).save(of / f"{i}.png")
    clone = folder / "clone"
    shutil.copytree(small.folder, clone, symlinks=True)
    codes = load_params(root / "params.yaml").theory.codes
    return use(Project(clone, small.environment), folder / "faces", n_labels=40, **{"theory.codes": codes})


def texts(project: Project) -> dict[str, str]:
    return {name: (project.folder / "reports" / name).read_text() for name in ("report.md", "relatorio.md")}


@pytest.mark.parametrize("which", ["digits", "faces"])
def test_every_stage_runs_and_dvc_knows_what_it_rests_on(which, request):
    project = request.getfixturevalue(which)
    assert {"download", "pretrain", "finetune", "evaluate", "theory", "report", "demo"} <= set(
        project.ran(project.output)
    )
    assert "up to date" in project.dvc("status", "dvc.yaml")


def test_all_labels_are_used_and_the_reports_say_what_that_means(digits):
    assert np.load(digits.folder / "data/split/draws.npy").shape[1] == 187
    report, relatorio = texts(digits).values()
    assert "a network that sees 187 labels" in report
    assert "| all 187, the same in each replicate" in report
    assert "| todas as 187, as mesmas em cada réplica" in relatorio
    assert "the intervals tell of other seeds, not of other labelled images" in report


@pytest.mark.parametrize("which", ["digits", "faces"])
def test_reports_speak_of_these_images_and_end_with_advice(which, request, assert_equal_content):
    project = request.getfixturevalue(which)
    title = {"digits": "Small digits", "faces": "faces"}[which]
    found = texts(project)
    for name, text in found.items():
        assert title in text
        assert "None" not in text
        assert "nan" not in text.split()
        # of MNIST, only where the settings come from, and what the studies found
        for line in re.findall(r"[^.|;]*\bMNIST\b[^.|;]*", text):
            told = r"search|settings|draws|labels|busca|configura|sorteios|rótulos|`tune`|repro -P"
            assert re.search(told, line), line
        advice = text.partition("## 8. ")[2]
        assert ("labels" if name == "report.md" else "rótulos") in advice
    assert_equal_content(*found.values(), numbers=150)


def test_classes_have_their_names_in_reports_figures_and_the_page_to_play_with(digits, faces):
    for project, name in ((digits, "seven"), (faces, "background")):
        assert name in (project.folder / "reports/figures/evaluate/confusion.a.en.svg").read_text()
        assert name in (project.folder / "reports/figures/theory/anomalies.en.svg").read_text()
        assert name in (project.folder / "reports/report.md").read_text()
        assert f'"{name}"' in (project.folder / "data/demo/demo.html").read_text()


def test_predict_reads_a_picture_of_ones_own(faces, tmp_path):
    picture = np.round(255 * lfw_subset()[3]).astype(np.uint8)
    Image.fromarray(picture).resize((100, 100)).save(tmp_path / "one.png")
    output = faces.call(
        sys.executable, "-m", "tools.predict", str(tmp_path / "one.png"), "--output", str(tmp_path / "seen.png")
    )
    head, row, _ = output.strip().splitlines()[-3:]
    assert head.split()[-3:] == ["class", "background", "face"]
    assert row.split()[1] in ("background", "face")
    assert (tmp_path / "seen.png").is_file()


def test_other_images_run_the_pipeline_again_and_a_remote_carries_them(faces, tmp_path):
    faces.dvc("remote", "add", "--default", "store", str(tmp_path / "store"))
    faces.dvc("push", "data/sources/own.dvc")
    folder = faces.folder / "data" / "sources" / "own"
    before = (folder / "images.npz").read_bytes()
    shutil.rmtree(folder)
    shutil.rmtree(faces.folder / ".dvc" / "cache")
    output = faces.call(sys.executable, "-m", "stages.split", ok=False)
    assert "fetch it with `dvc pull data/sources/own`" in output
    assert "Traceback" not in output
    faces.dvc("pull", "data/sources/own.dvc")
    assert (folder / "images.npz").read_bytes() == before
    faces.call(sys.executable, "-m", "tools.import_images", str(faces.folder.parent / "faces"), "--seed", "1")
    assert "data/sources/own" in faces.dvc("status", "download")
