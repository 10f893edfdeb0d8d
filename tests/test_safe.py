"""No file is trusted more than it must be: what would run code from one, or unpack it blindly, is not used."""

import ast
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SOURCES = [
    *ROOT.glob("*.py"),
    *(path for folder in ("dae", "stages", "studies") for path in (ROOT / folder).glob("*.py")),
]
CODE = {
    "eval",
    "exec",
    "pickle.load",
    "pickle.loads",
    "joblib.load",
    "extract",
    "extractall",
    "unpack_archive",
    "system",
}


def faults(tree: ast.AST) -> list[str]:
    """Calls in a module that trust their input."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(alias.name in {"pickle", "dill", "marshal"} for alias in node.names):
            found.append(ast.unparse(node))
        if not isinstance(node, ast.Call):
            continue
        name, given = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
        if (
            name in CODE
            or name.split(".")[-1] in CODE
            or (name == "np.load" and given.get("allow_pickle") != "False")
            or (name.endswith("load_model") and given.get("safe_mode", "True") != "True")
            or (name.startswith("yaml.") and name.endswith("load") and name != "yaml.safe_load")
            or (name == "YAML" and given.get("typ") != "'safe'")
            or (name.endswith("read_pickle"))
            or given.get("shell", "False") != "False"
        ):
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_trusts_its_input(path):
    assert not faults(ast.parse(path.read_text()))


@pytest.mark.parametrize(
    "code",
    [
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "import pickle",
        "yaml.load(text)",
        "YAML().load(text)",
        "archive.extractall(folder)",
        "keras.models.load_model(path, safe_mode=False)",
        "subprocess.run(command, shell=True)",
        "os.system(command)",
    ],
)
def test_what_trusts_its_input_is_found(code):
    assert faults(ast.parse(code))


def test_the_workflows_may_only_read_by_default():
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {"contents": "read"}
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                if step.get("uses", "").startswith("actions/checkout"):
                    assert step["with"]["persist-credentials"] is False
