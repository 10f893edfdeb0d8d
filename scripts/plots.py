"""Run `dvc plots show`, or `dvc plots diff REVISION...`, and make its page work without a network.

    python scripts/plots.py            the workspace
    python scripts/plots.py main HEAD  a comparison

DVC's page loads Vega's scripts from a site. Here they come from the npm registry, once, and lie beside the page.
"""

import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

FOLDER = Path("dvc_plots")
SCRIPT = re.compile(r"https://cdn\.jsdelivr\.net/npm/(([\w-]+)@[\d.]+)")  # of a package, at its version


def main(revisions: list[str]) -> None:
    command = ["diff", *revisions] if revisions else ["show"]
    subprocess.run([sys.executable, "-m", "dvc", "plots", *command, "--out", str(FOLDER)], check=True)
    page = FOLDER / "index.html"
    text = page.read_text(encoding="utf-8")
    for package, name in SCRIPT.findall(text):
        script = FOLDER / f"{package}.js"
        if not script.is_file():
            script.write_bytes(from_npm(package, name))
    text = SCRIPT.sub(r"\1.js", text).replace("<head>", '<head><meta charset="utf-8">')  # for the minus signs of Vega
    page.write_text(text, encoding="utf-8")


def from_npm(package: str, name: str) -> bytes:
    """The script that a browser runs of a package `name@version`, from the npm registry."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", package, "--silent"], cwd=folder, stdout=subprocess.DEVNULL, check=True)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as package_files:
            return package_files.extractfile(f"package/build/{name}.min.js").read()


if __name__ == "__main__":
    main(sys.argv[1:])
