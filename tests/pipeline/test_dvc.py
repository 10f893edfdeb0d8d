"""The real pipeline under the real DVC, on the real MNIST, with little training."""

import re
import subprocess
import sys

import numpy as np
import pytest
import yaml

from tools.small import change


def test_the_stages_run_in_the_order_of_the_data_and_all_outputs_are_there(project):
    stages = ["download", "split", "pretrain", "reconstruct", "finetune", "baseline", "evaluate"]
    stages += ["theory", "theory_figures", "plain", "report", "demo"]
    assert sorted(project.ran(project.output)) == sorted(stages)
    lock = yaml.safe_load((project.folder / "dvc.lock").read_text())["stages"]
    assert sorted(lock) == sorted(stages)
    for stage in lock.values():
        assert all((project.folder / out["path"]).stat().st_size > 0 for out in stage["outs"])
    for page in ("report.md", "relatorio.md", "report.html"):
        assert "<details>" in (project.folder / "reports" / page).read_text()
    assert "up to date" in project.dvc("status", "dvc.yaml")
    assert project.ran(project.dvc("repro")) == []


def test_no_stage_prints_a_traceback_or_tensorflows_notices(project):
    assert "Traceback" not in project.output
    assert "oneDNN" not in project.output
    assert re.search(r"epoch 2/2 .*loss 0\.\d+", project.output)
    assert "run 3/3" in project.output


def test_metrics_agree_with_the_saved_probabilities(project):
    labels = np.load(project.folder / "data/raw/test_labels.npy")
    metrics = project.json("reports/evaluation.json")
    accuracies = {}
    for arm, folder in (("with", "finetune"), ("without", "baseline")):
        probabilities = np.load(project.folder / f"data/{folder}/probabilities.npy")
        assert probabilities.shape == (3, 10_000, 10)
        accuracies[arm] = (probabilities[:2].argmax(axis=2) == labels).mean(axis=1)
        assert metrics[arm]["accuracy"]["mean"] == pytest.approx(accuracies[arm].mean(), abs=1e-5)
    difference = accuracies["with"] - accuracies["without"]
    assert metrics["difference"]["accuracy"]["mean"] == pytest.approx(difference.mean(), abs=1e-5)
    assert metrics["verdict"] in {"better", "worse", "equivalent", "inconclusive"}


def test_the_saved_models_are_the_first_replicates_and_load_with_keras_alone(project, tmp_path):
    """In a process that sees nothing of the project's code."""
    script = (
        "import sys, keras, numpy as np\n"
        "classifier, images, probabilities = sys.argv[1:]\n"
        "x = np.load(images)[:100].reshape(100, -1) / np.float32(255)\n"
        "p = keras.ops.softmax(keras.models.load_model(classifier)(x))\n"
        "assert np.allclose(p, np.load(probabilities)[0, :100], atol=1e-5)\n"
    )
    for folder in ("finetune", "baseline"):
        files = [f"data/{folder}/classifier.keras", "data/raw/test_images.npy", f"data/{folder}/probabilities.npy"]
        subprocess.run([sys.executable, "-c", script, *(project.folder / f for f in files)], cwd=tmp_path, check=True)


def test_running_a_stage_again_gives_the_same_bytes(project):
    output = project.dvc("repro", "--single-item", "--force", "pretrain")
    assert project.ran(output) == ["pretrain"]
    assert project.call("git", "status", "--porcelain") == ""


@pytest.mark.parametrize("arm", ["finetune", "baseline"])
def test_a_change_in_an_arm_trains_neither_the_autoencoder_nor_the_other_arm(project, arm):
    output = project.dvc("repro", "--dry")
    assert project.ran(output) == []
    parameters = project.folder / "params.yaml"
    before = parameters.read_text()
    change(parameters, {f"{arm}.dropout": 0.125})
    ran = set(project.ran(project.dvc("repro", "--dry")))
    assert {arm} <= ran <= {arm, "evaluate", "report"}
    parameters.write_text(before)


def test_a_change_of_the_report_trains_nothing(project):
    template = project.folder / "reporting" / "report" / "en.md.j2"
    before = template.read_text()
    template.write_text(before + "\nOne more line.\n")
    assert project.ran(project.dvc("repro", "--dry")) == ["report"]
    template.write_text(before)


def test_a_change_of_a_figures_words_trains_nothing(project):
    words = project.folder / "reporting" / "theory" / "en.yaml"
    before = words.read_text()
    words.write_text(before + "another: word\n")
    ran = set(project.ran(project.dvc("repro", "--dry")))
    assert {"theory_figures"} <= ran <= {"theory_figures", "report"}
    words.write_text(before)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("noise=7", "params.yaml: noise is 7; allowed is a number from 0 to 1"),
        ("corruption=blur", "params.yaml: corruption is 'blur'; allowed is masking, gaussian or salt_and_pepper"),
    ],
)
def test_a_bad_value_stops_an_experiment_with_one_clear_line(project, setting, message):
    output = project.dvc("exp", "run", "--set-param", setting, ok=False)
    assert message in output
    assert "Traceback" not in output
    project.call("git", "checkout", "--quiet", "--force", "main")
    project.dvc("checkout")


def test_an_unknown_key_stops_every_stage(project):
    parameters = project.folder / "params.yaml"
    before = parameters.read_text()
    parameters.write_text(before + "noize: 0.3\n")
    stages = yaml.safe_load((project.folder / "dvc.yaml").read_text())["stages"]
    for name in stages:
        output = project.call(sys.executable, "-m", f"stages.{name}", ok=False)
        assert output.startswith("ERROR: params.yaml: noize is not a known key; allowed here are seed, dataset")
        assert len(output.splitlines()) == 1
    parameters.write_text(before)
    assert "up to date" in project.dvc("status", "dvc.yaml")


@pytest.mark.slow
def test_denoising_that_fails_stops_the_pipeline_with_the_reason(project):
    output = project.dvc("exp", "run", "--set-param", "reconstruct.min_psnr_gain=50", ok=False)
    assert re.search(
        r"ERROR: the denoised test images have a PSNR of .* below reconstruct.min_psnr_gain = 50 dB", output
    )
    assert "Traceback" not in output
    project.call("git", "checkout", "--quiet", "--force", "main")
    project.dvc("checkout")
