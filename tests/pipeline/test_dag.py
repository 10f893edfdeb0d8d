"""dvc.yaml against the code, without running anything."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from stages._params import Params

STAGES = yaml.safe_load((Path(__file__).parents[2] / "dvc.yaml").read_text())["stages"]
OURS = ("dae", "stages")


def imported(root: Path, module: str) -> set[str]:
    """Files of our own that running a module imports, itself included, wherever in the file the imports stand."""
    found, todo = set(), [module]
    while todo:
        path = Path(*todo.pop().split(".")).with_suffix(".py")
        if str(path) in found or not (root / path).is_file():
            continue
        found.add(str(path))
        for node in ast.walk(ast.parse((root / path).read_text())):
            if isinstance(node, ast.Import):
                todo += [alias.name for alias in node.names if alias.name.split(".")[0] in OURS]
            elif isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in OURS:
                todo += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def paths(items: list) -> list[str]:
    return [item if isinstance(item, str) else next(iter(item)) for item in items]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_the_module_of_its_name(name, root):
    assert STAGES[name]["cmd"] == f"python -m stages.{name}"
    assert (root / "stages" / f"{name}.py").is_file()


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_declares_exactly_the_modules_that_it_imports(name, root):
    declared = {path for path in paths(STAGES[name]["deps"]) if path.endswith(".py")}
    assert declared == imported(root, f"stages.{name}")


def test_stages_do_not_import_each_other_and_dae_knows_nothing_of_stages(root):
    for name in STAGES:
        others = {f"stages/{other}.py" for other in STAGES if other != name}
        assert not imported(root, f"stages.{name}") & others
    for path in (root / "dae").glob("*.py"):
        assert "stages" not in {file.split("/")[0] for file in imported(root, f"dae.{path.stem}")}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_declares_exactly_the_parameters_that_it_reads(name, root):
    """Read from the source: every `params.a.b` in the stage's own modules, against the keys in dvc.yaml."""
    read = set()
    for path in imported(root, f"stages.{name}"):
        if not path.startswith("stages/") or path == "stages/_params.py":
            continue
        for node in ast.walk(ast.parse((root / path).read_text())):
            parts = []
            while isinstance(node, ast.Attribute):
                parts.insert(0, node.attr)
                node = node.value
            if parts and isinstance(node, ast.Name) and node.id == "params" and parts[0] in Params.model_fields:
                read.add(parts[0])
    declared = {path.split(".")[0] for path in STAGES[name]["params"] if isinstance(path, str)}
    if name == "report":  # reads the whole file
        assert STAGES[name]["params"] == [{"params.yaml": None}]
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
    with_tensorflow = {name for name in STAGES if "dae/backend.py" in imported(root, f"stages.{name}")}
    assert with_tensorflow == {"pretrain", "reconstruct", "finetune", "baseline"}
    for path in [*(root / "dae").glob("*.py"), *(root / "stages").glob("*.py")]:
        assert path.name == "backend.py" or not re.search(r"(?m)^\s*(import|from) (tensorflow|keras)", path.read_text())
