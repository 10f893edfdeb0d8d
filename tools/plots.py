"""Run `dvc plots show`, or `dvc plots diff REVISION...`, and make its page work without a network.

    python -m tools.plots            the workspace
    python -m tools.plots main HEAD  a comparison

DVC's page loads Vega's scripts from a site. This command gets them once from the npm registry and saves them beside the
page. Without npm, or if the registry does not answer, the page stays as DVC made it.
"""

import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

FOLDER = Path("dvc_plots")
SCRIPT = re.compile(r"https://cdn\.jsdelivr\.net/npm/(([\w-]+)@[\d.]+)")  # groups: package with version, package
TIMEOUT = 60  # seconds for npm


def main(revisions: list[str]) -> None:
    """Make the page of the workspace, or of a comparison of revisions."""
    command = ["diff", *revisions] if revisions else ["show"]
    done = subprocess.run([sys.executable, "-m", "dvc", "plots", *command, "--out", str(FOLDER)])
    if done.returncode:
        sys.exit(done.returncode)  # DVC has printed why
    page = FOLDER / "index.html"
    try:
        bring_scripts(page)
    except (FileNotFoundError, subprocess.SubprocessError) as error:
        reason = "npm is not installed" if isinstance(error, FileNotFoundError) else "the npm registry does not answer"
        print(f"{page} needs a network when it is opened, as it loads Vega's scripts from a site: {reason}")


def bring_scripts(page: Path) -> None:
    """Save the scripts that a page loads from the site beside it, and make it load these files."""
    text = page.read_text(encoding="utf-8")
    for package, name in SCRIPT.findall(text):
        script = page.with_name(f"{package}.js")
        if not script.is_file():
            script.write_bytes(from_npm(package, name))
    text = SCRIPT.sub(r"\1.js", text).replace("<head>", '<head><meta charset="utf-8">')  # for the minus signs of Vega
    page.write_text(text, encoding="utf-8")


def from_npm(package: str, name: str) -> bytes:
    """The script for browsers in a package `name@version` of the npm registry.

    Raises:
        FileNotFoundError: npm, or the script in the package, is missing.
        subprocess.SubprocessError: npm fails or takes too long.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", package, "--silent", "--fetch-retries=1"]
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, timeout=TIMEOUT, check=True)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as package_files:
            script = package_files.extractfile(f"package/build/{name}.min.js")
            if script is None:
                raise FileNotFoundError(f"{package} has no {name}.min.js")
            return script.read()


if __name__ == "__main__":
    main(sys.argv[1:])
