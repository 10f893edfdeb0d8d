"""DVC's metrics and plots: what a user compares, and the page in a real browser, without a network."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import sync_playwright

from tools import plots

ROOT = Path(__file__).parents[2]
PLOTS = [
    plot for file in ("dvc.yaml", "studies/dvc.yaml") for plot in yaml.safe_load((ROOT / file).read_text())["plots"]
]
VEGA = {name: settings for plot in PLOTS if isinstance(plot, dict) for name, settings in plot.items()}
PICTURES = [plot for plot in PLOTS if isinstance(plot, str)]


@pytest.fixture(scope="module")
def branches(project):
    """The project, with the committed results of the studies, and a branch where a wider margin changes the verdict."""
    shutil.copytree(ROOT / "reports" / "studies", project.folder / "reports" / "studies")
    project.call("git", "add", ".")
    project.call("git", "commit", "--quiet", "--message=studies")
    project.dvc("exp", "run", "--set-param", "evaluate.margin=0.5", "--name", "wide")
    project.call("git", "checkout", "--quiet", "--force", "main")
    project.dvc("exp", "branch", "wide", "wide")
    return project


@pytest.fixture(scope="module")
def browser(tool):
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu"]
        chromium = playwright.chromium.launch(executable_path=tool("chromium", "google-chrome"), args=options)
        yield chromium
        chromium.close()


def test_the_metrics_are_few_and_need_no_cache(branches, tmp_path):
    clone = tmp_path / "clone"
    branches.call("git", "clone", "--quiet", ".", str(clone))
    output = branches.call(sys.executable, "-m", "dvc", "--cd", str(clone), "metrics", "show", "--json")
    (shown,) = json.loads(output.splitlines()[-1]).values()
    metrics = shown["data"]["reports/metrics.json"]["data"]
    assert list(metrics)[:4] == ["verdict", "gain", "gain_low", "gain_high"]
    assert sorted(metrics)[:4] == ["gain", "gain_high", "gain_low", "verdict"]  # DVC's own order
    assert len(metrics) == 8
    output = branches.call(
        sys.executable, "-m", "dvc", "--cd", str(clone), "metrics", "diff", "--json", "main", "origin/wide"
    )
    difference = json.loads(output.splitlines()[-1])
    assert difference["reports/metrics.json"]["verdict"]["new"] == "equivalent"


def test_every_plot_has_a_title_axes_and_a_template_that_is_there():
    assert set(VEGA) == {"pretraining", "classifiers", "label_curve", "paired", "confusion", "calibration"}
    for settings in VEGA.values():
        assert settings.keys() >= {"title", "x", "y", "x_label", "y_label"}
        template = json.loads((ROOT / ".dvc" / "plots" / f"{settings['template']}.json").read_text())
        assert template["data"] == {"values": "<DVC_METRIC_DATA>"}
        assert template["title"] == "<DVC_METRIC_TITLE>"


def test_the_editor_extension_gets_what_it_asks_for(branches):
    """The commands that DVC's extension for VS Code calls."""
    plots = json.loads(branches.dvc("plots", "diff", "--json", "--split", "main", "wide").splitlines()[-1])
    assert not plots.get("errors")
    for name in VEGA:
        (plot,) = plots["data"][name]
        assert plot["revisions"] == ["main", "wide"]
        assert set(plot["anchor_definitions"]) >= {"<DVC_METRIC_DATA>", "<DVC_METRIC_TITLE>"}
    assert json.loads(branches.dvc("exp", "show", "--json"))
    assert "unchanged" in json.loads(branches.dvc("data", "status", "--json", "--unchanged", "--granular"))


PAGE = """<html><head></head><script src="https://cdn.jsdelivr.net/npm/vega@5.20.2"></script></html>"""


@pytest.mark.parametrize(
    ("npm", "reason"),
    [
        (None, "npm is not installed"),
        ("exit 1", "the npm registry does not answer"),
        ("exec /bin/sleep 60", "the npm registry does not answer"),
    ],
    ids=["no npm", "the registry refuses", "the registry does not answer"],
)
def test_without_npm_the_page_stays_as_dvc_made_it_and_a_line_says_so(tmp_path, monkeypatch, capsys, npm, reason):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(plots, "TIMEOUT", 1)
    if npm:
        (tmp_path / "npm").write_text(f"#!/bin/sh\n{npm}\n")
        (tmp_path / "npm").chmod(0o755)
    (tmp_path / "dvc.py").write_text(
        f"import pathlib\npathlib.Path('dvc_plots').mkdir()\npathlib.Path('dvc_plots/index.html').write_text({PAGE!r})"
    )
    plots.main([])
    assert (tmp_path / "dvc_plots" / "index.html").read_text() == PAGE
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("dvc_plots/index.html needs a network when it is opened")
    assert reason in line


def test_where_dvc_fails_its_message_is_the_last(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.py").write_text("raise SystemExit(251)")
    with pytest.raises(SystemExit) as ended:
        plots.main(["nowhere"])
    assert ended.value.code == 251


@pytest.mark.parametrize("revisions", [(), ("main", "wide")], ids=["show", "diff"])
def test_the_page_of_plots_opens_without_a_network_and_without_an_error(branches, browser, tool, revisions):
    tool("npm")
    page_file = branches.folder / "dvc_plots" / "index.html"
    branches.call(sys.executable, "-m", "tools.plots", *revisions)
    assert "https://cdn" not in page_file.read_text()
    errors = []
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    page.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda request: errors.append(request.url))
    page.goto(page_file.as_uri())
    page.wait_for_function(f"document.querySelectorAll('canvas').length == {len(VEGA)}", timeout=20_000)
    assert errors == []
    drawn = page.evaluate(
        """[...document.querySelectorAll('canvas')].map(canvas => {
            const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            return new Set(new Uint32Array(data.buffer)).size;
        })"""
    )
    assert min(drawn) > 50  # colours: lines, points and text, not an empty frame
    pictures = page.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert len(pictures) == len(PICTURES) * max(1, len(revisions))
    assert min(pictures) > 100
    page.close()
