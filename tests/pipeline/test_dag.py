"""Both dvc.yaml against the code, without running anything."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from stages._params import Params
from stages._surroundings import OURS, PIPELINES, imported
from studies._params import StudyParams

ROOT = Path(__file__).parents[2]
STAGES = {
    (package, name): stage
    for package, file in PIPELINES.items()
    for name, stage in yaml.safe_load((ROOT / file).read_text())["stages"].items()
}
SCHEMAS = {"params": Params, "study_params": StudyParams}  # by the name that the stages' functions give them
every_stage = pytest.mark.parametrize(("package", "name"), STAGES)


def paths(items: list) -> list[str]:
    return [item if isinstance(item, str) else next(iter(item)) for item in items]


@every_stage
def test_a_stage_runs_the_module_of_its_name(package, name, root):
    assert STAGES[package, name]["cmd"] == f"python -m {package}.{name}"
    assert STAGES[package, name].get("wdir", ".") == ("." if package == "stages" else "..")
    assert (root / package / f"{name}.py").is_file()


@every_stage
def test_a_stage_declares_exactly_the_modules_that_it_imports(package, name, root):
    declared = {path for path in paths(STAGES[package, name]["deps"]) if path.endswith(".py")}
    assert declared == imported(f"{package}.{name}", root)


@every_stage
def test_stages_do_not_import_each_other(package, name, root):
    others = {f"{package}/{name}.py" for package, name in STAGES} - {f"{package}/{name}.py"}
    assert not imported(f"{package}.{name}", root) & others


def test_dae_knows_nothing_of_stages_and_the_main_pipeline_nothing_of_studies(root):
    for path in (root / "dae").glob("*.py"):
        assert {file.split("/")[0] for file in imported(f"dae.{path.stem}", root)} == {"dae"}
    for path in (root / "stages").glob("*.py"):
        assert "studies" not in {file.split("/")[0] for file in imported(f"stages.{path.stem}", root)}


@every_stage
def test_a_stage_declares_exactly_the_parameters_that_it_reads(package, name, root):
    """Read from the source: every `params.a` and `study_params.a` in the stage's own modules, against dvc.yaml."""
    read = set()
    for path in imported(f"{package}.{name}", root):
        if path.startswith("dae/") or path.endswith("_params.py"):
            continue
        for node in ast.walk(ast.parse((root / path).read_text())):
            parts = []
            while isinstance(node, ast.Attribute):
                parts.insert(0, node.attr)
                node = node.value
            if isinstance(node, ast.Name):
                parts.insert(0, node.id)
            for i, part in enumerate(parts[:-1]):
                if part in SCHEMAS and parts[i + 1] in SCHEMAS[part].model_fields:
                    read.add((part, parts[i + 1]))
    declared = set()
    for item in STAGES[package, name]["params"]:
        if isinstance(item, str):
            declared.add(("params", item.split(".")[0]))
        else:
            ((file, keys),) = item.items()
            kind = "params" if file == "params.yaml" else "study_params"
            declared |= {(kind, key) for key in keys or SCHEMAS[kind].model_fields}
    if name in {"report", "pages"}:  # their templates may tell of any
        assert {("params", key) for key in Params.model_fields} <= declared
    else:
        assert declared == read


def test_small_results_are_in_git_and_large_ones_in_the_cache():
    for stage in STAGES.values():
        for item in stage.get("outs", []) + stage.get("metrics", []):
            (path,) = paths([item])
            cached = isinstance(item, str)
            assert cached == path.startswith("data/")
            assert cached or path.startswith("reports/")


def test_only_stages_that_train_or_run_a_network_can_import_tensorflow(root):
    with_tensorflow = {name for package, name in STAGES if "dae/backend.py" in imported(f"{package}.{name}", root)}
    assert {"download", "split", "evaluate", "report"} == {n for p, n in STAGES if p == "stages"} - with_tensorflow
    for path in [path for folder in OURS for path in (root / folder).glob("*.py")]:
        assert path.name == "backend.py" or not re.search(r"(?m)^\s*(import|from) (tensorflow|keras)", path.read_text())
