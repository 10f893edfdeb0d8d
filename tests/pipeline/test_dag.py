"""Both dvc.yaml against the code, without running anything."""

import ast
import re
import shutil
from pathlib import Path

import pytest
import yaml

from reporting.pages.provenance import names
from stages.common.params import Params
from stages.common.surroundings import OURS, PIPELINES, code_dependencies, imported
from studies._params import StudyParams
from tools import dependencies

ROOT = Path(__file__).parents[2]
STAGES = {
    (package, name): stage
    for package, file in PIPELINES.items()
    for name, stage in yaml.safe_load((ROOT / file).read_text())["stages"].items()
}
SCHEMAS = {"params": Params, "study_params": StudyParams}  # by the name that the stages' functions give them
ARMS = ("finetune", "baseline")  # sections of params.yaml that code names by texts
REPLACED = {  # values of a dAE that a study always sets itself, in calls of dae_settings
    "tune": {("params", "corruption"), ("params", "noise")},
    "noise_curve": {("params", "corruption"), ("params", "noise")},
    "pushed": {("params", "corruption"), ("params", "noise")},
}
MAY_IMPORT = {  # of our packages, beside itself; tools may import any
    "dae": set(),
    "reporting": set(),
    "stages": {"dae", "reporting"},
    "studies": {"dae", "reporting", "stages"},
}
every_stage = pytest.mark.parametrize(("package", "name"), STAGES)


@every_stage
def test_a_stage_runs_the_module_of_its_name(package, name, root):
    assert STAGES[package, name]["cmd"] == f"python -m {package}.{name}"
    assert STAGES[package, name].get("wdir", ".") == ("." if package == "stages" else "..")
    assert (root / package / f"{name}.py").is_file()


@every_stage
def test_a_stage_declares_exactly_the_modules_that_it_imports(package, name, root):
    """Some packages as a whole, by their directories; `make deps` writes these lines."""
    ours = [path for path in names(STAGES[package, name]["deps"]) if path.split("/")[0] in OURS]
    declared = [path for path in ours if path.endswith(".py") or not (root / path).is_file()]
    assert declared == code_dependencies(f"{package}.{name}", root)


@every_stage
def test_the_code_that_a_stage_declares_has_all_modules_that_it_imports(package, name, root):
    declared = [Path(path) for path in STAGES[package, name]["deps"]]
    for path in imported(f"{package}.{name}", root):
        assert any(Path(path).is_relative_to(dep) for dep in declared), path


@every_stage
def test_a_stage_declares_the_words_that_it_reads(package, name, root):
    for path in imported(f"{package}.{name}", root):
        for part in re.findall(r"words_of\([\"'](\w+)[\"']", (root / path).read_text()):
            assert f"reporting/{part}" in STAGES[package, name]["deps"], path


@every_stage
def test_stages_do_not_import_each_other(package, name, root):
    others = {f"{package}/{name}.py" for package, name in STAGES} - {f"{package}/{name}.py"}
    assert not imported(f"{package}.{name}", root) & others


@pytest.mark.parametrize("package", OURS)
def test_a_package_imports_only_those_below_it(package, root):
    """So dae and reporting know nothing of the others, and stages nothing of studies."""
    others = {*OURS, "tools", "benchmarks", "tests"} - {package} - MAY_IMPORT[package]
    for path in (root / package).rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        found = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        found += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
        assert not {name.split(".")[0] for name in found} & others, path


def used(package, name, root):
    """The syntax trees of a stage's module, and of what of ours it names, and of what this names in turn.

    That are functions, classes and constants, without those of dae, which knows no parameters, and of the schemas.
    """
    own, others = f"{package}/{name}.py", {}
    for path in imported(f"{package}.{name}", root):
        if not path.startswith("dae/") and not path.endswith("params.py") and path != own:
            tree = ast.parse((root / path).read_text())
            for node in tree.body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef):
                    others.setdefault(node.name, []).append(node)
                elif isinstance(node, ast.Assign):
                    for name in [part.id for part in ast.walk(node.targets[0]) if isinstance(part, ast.Name)]:
                        others.setdefault(name, []).append(node)
    found, new = [], [ast.parse((root / own).read_text())]
    while new:
        found.append(tree := new.pop())
        for node in ast.walk(tree):
            new += others.pop(getattr(node, "id", getattr(node, "attr", None)), [])
    return found


@every_stage
def test_a_stage_declares_exactly_the_parameters_that_it_reads(package, name, root):
    """Read from the source: every `params.a` and `study_params.a`, and the arms' sections by their names.

    `classifier_settings` is given such a name.
    """
    read, trees = set(), used(package, name, root)
    trains = "classifier_settings" in {getattr(tree, "name", None) for tree in trees}
    for tree in trees:
        for node in ast.walk(tree):
            if trains and isinstance(node, ast.Constant) and node.value in ARMS:
                read.add(("params", node.value))
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
        assert read >= REPLACED.get(name, set())
        assert declared == read - REPLACED.get(name, set())


def test_small_results_are_in_git_and_large_ones_in_the_cache():
    for stage in STAGES.values():
        for item in stage.get("outs", []) + stage.get("metrics", []):
            (path,) = names([item])
            cached = isinstance(item, str)
            assert cached == path.startswith("data/")
            assert cached or path.startswith("reports/")


def test_only_stages_that_train_or_run_a_network_can_import_tensorflow(root):
    with_tensorflow = {name for package, name in STAGES if "dae/core/backend.py" in imported(f"{package}.{name}", root)}
    of_the_main_pipeline = {name for package, name in STAGES if package == "stages"}
    assert with_tensorflow & of_the_main_pipeline == {
        "pretrain",
        "reconstruct",
        "finetune",
        "baseline",
        "theory",
        "plain",
        "demo",
    }
    for path in [path for folder in (*OURS, "tools") for path in (root / folder).rglob("*.py")]:
        run = re.sub(r"(?m)^if TYPE_CHECKING:.*\n(    .*\n)+", "", path.read_text())  # but for annotations
        assert path.name == "backend.py" or not re.search(r"(?m)^\s*(import|from) (tensorflow|keras)", run)


def test_what_a_study_shows_reruns_no_stage_of_the_main_pipeline(root):
    shown = {path.name for path in (root / "reporting").iterdir() if path.is_dir()} & set(StudyParams.model_fields)
    assert shown == {"tune", "label_curve", "noise_curve", "pushed"}
    for package, name in STAGES:
        parts = {dep.split("/")[1] for dep in STAGES[package, name]["deps"] if dep.startswith("reporting/")}
        assert not parts & {*shown, "studies"} or package == "studies"


def test_what_the_theory_shows_reruns_no_stage_that_trains():
    shows = {name for (_, name), stage in STAGES.items() if "reporting/theory" in stage["deps"]}
    assert shows == {"theory_figures"}
    assert not any(dep.startswith("dae/core") for dep in STAGES["stages", "theory_figures"]["deps"])


def test_make_deps_changes_nothing_in_the_committed_pipelines(root, tmp_path, monkeypatch):
    for package in (*OURS, "requirements-numeric.lock"):
        (tmp_path / package).symlink_to(root / package)
    (tmp_path / "studies").unlink()
    shutil.copytree(root / "studies", tmp_path / "studies", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "dvc.yaml").write_text((root / "dvc.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    dependencies.main()
    for file in PIPELINES.values():
        assert (tmp_path / file).read_text() == (root / file).read_text()
    text = (root / "dvc.yaml").read_text()
    (tmp_path / "dvc.yaml").write_text(text.replace("      - dae/denoising.py\n", "      - dae/none.py\n"))
    dependencies.main()
    assert (tmp_path / "dvc.yaml").read_text() == text
