"""The committed results against each other: pages, README, settings, tolerances. They tell nothing of the code.

`make test` leaves them out, so whoever commits other results has them to mend and no failed test of code; CI runs them.
A failure says what to make again: `dvc repro -P`, `make readme` or `make verify OPTIONS=--arithmetic`.
"""

import hashlib
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from reporting.pages.provenance import origins
from reporting.report.facts import arithmetics
from stages import report, split
from stages.common.params import load_params
from studies import pages
from studies._arms import load_curve
from studies._params import load_study_params
from studies._search import SECTIONS
from tools.readme import BLOCK, departures, methods, results

pytestmark = pytest.mark.results


@pytest.fixture(autouse=True)
def at_root(root, monkeypatch):
    monkeypatch.chdir(root)


def rendered(module, monkeypatch, *arguments) -> dict[str, str]:
    """What a module that renders pages writes, by path."""
    written = {}
    monkeypatch.setattr(module, "save_text", written.__setitem__)
    module.main(*arguments)
    return written


def test_the_reports_are_those_of_the_results(mnist, monkeypatch):
    """Text for text, the page too."""
    arrays = dict(mnist)
    for stage in (split, report):
        monkeypatch.setattr(stage, "load_array", lambda path: arrays[Path(path).stem])
    monkeypatch.setattr(split, "save_array", lambda path, array: arrays.update({Path(path).stem: array}))
    monkeypatch.setattr(split, "save_table", lambda *_, **__: None)
    split.main(load_params())
    written = rendered(report, monkeypatch, load_params())
    assert set(written) == {"reports/report.md", "reports/relatorio.md", "reports/report.html"}
    for path, text in written.items():
        assert text == Path(path).read_text(), path


def test_the_studies_pages_are_those_of_the_results(monkeypatch):
    written = rendered(pages, monkeypatch, load_params(), load_study_params())
    assert set(written) == {f"reports/studies/{name}" for name in ("studies.md", "estudos.md", "studies.html")}
    for path, text in written.items():
        assert text == Path(path).read_text(), path


def test_the_reports_in_both_languages_have_the_same_content(assert_equal_content):
    english, portuguese = (Path("reports", name).read_text() for name in ("report.md", "relatorio.md"))
    assert_equal_content(english, portuguese, numbers=180)


@pytest.mark.parametrize(
    ("pipeline", "folder", "before", "names"),
    [
        ("dvc.yaml", "reports", "report", ["report.md", "relatorio.md", "report.html"]),
        ("studies/dvc.yaml", "reports/studies", "pages", ["studies.md", "estudos.md", "studies.html"]),
    ],
)
def test_the_pages_tell_where_everything_comes_from(pipeline, folder, before, names):
    """Every file that a stage put below the folder, with its checksum, and none of a later stage."""
    made = origins(pipeline, Path(folder), before)
    assert not set(names) & set(made)
    for page in names:
        text = Path(folder, page).read_text()
        for path, source in made.items():
            md5 = hashlib.md5(Path(folder, path).read_bytes()).hexdigest()
            assert source["md5"] == md5
            assert path in text
            assert f"`{md5[:8]}`" in text or f"<code>{md5[:8]}</code>" in text
            assert ", ".join(source["params"]) in text
        figures = {path for path in made if re.search(r"\.(en|pt)\.svg$", path)}
        if page.endswith(".md"):
            language = "pt" if page in ("relatorio.md", "estudos.md") else "en"
            shown = set(re.findall(r"!\[[^]]*\]\((figures/[^)]+)\)", text))
            assert shown == {path for path in figures if path.endswith(f".{language}.svg")}


def test_the_readme_quotes_the_reports():
    readme = Path("README.md").read_text()
    assert len(BLOCK.findall(readme)) == 1
    assert BLOCK.sub(lambda found: found[1] + results(Path("reports")) + found[2], readme) == readme


def test_the_reports_tables_of_the_studies_have_their_results():
    made = {
        "methods": methods(Path("reports"), load_params(), pages.frozen()),
        "departures": departures(Path("reports"), load_params(), pages.frozen()),
    }
    for name, table in made.items():
        committed = pd.read_csv(f"reports/{name}.csv")
        pd.testing.assert_frame_equal(committed, table, check_exact=False, atol=1e-5, check_dtype=False)


def test_the_readme_has_no_result_outside_that_block():
    text = BLOCK.sub("", Path("README.md").read_text())
    metrics = json.loads(Path("reports/metrics.json").read_text())
    for name in ("gain", "gain_low", "gain_high", "with_acc", "without_acc"):
        assert f"{100 * metrics[name]:.2f}" not in text, name


def test_each_arm_has_the_settings_that_tuning_chose_for_it():
    """No straw man: neither params.yaml nor the committed choice may move without the other."""
    found, params = json.loads(Path("reports/studies/tune.json").read_text()), load_params()
    for arm, section in SECTIONS.items():
        chosen, settings = found[arm]["chosen"], getattr(params, section).model_dump()
        assert settings == {name: chosen.get(name, settings["batch_size"]) for name in settings}, arm
        assert getattr(params.temperatures, section) == chosen["temperature"], arm
    chosen = found["with"]["chosen"]
    dae = {"corruption": params.corruption, "noise": params.noise, "epochs": params.pretrain.epochs}
    assert dae == {name: chosen[name] for name in dae}


def test_the_ladders_settings_fit_the_label_curve():
    load_curve(load_study_params().ladder, load_params())


def test_the_tolerances_were_measured_for_these_metrics_or_the_reports_say_that_they_were_not():
    measured = json.loads(Path("tolerances.json").read_text())
    for file in ("metrics.json", "reconstruction.json"):
        assert {key for key in measured if key.startswith(f"reports/{file}: ")}
    fit = arithmetics(measured, json.loads(Path("reports/metrics.json").read_text())) is not None
    for page, words in (
        ("report.md", "The tolerances were measured for other results than these"),
        ("relatorio.md", "As tolerâncias foram medidas para outros resultados"),
    ):
        assert (words in Path("reports", page).read_text()) != fit
