"""Is this commit reproducible? Run its pipeline again and compare every output with the committed dvc.lock.

The commit is cloned into a new folder, without cache, run cache and outputs; `dvc repro` makes the outputs again.
Exit status: 0, all are the same bytes; 2, some differ, but the verdict is the same and every metric agrees within its
tolerance, as must be so on another kind of processor; 1, neither, or the pipeline failed.

The tolerances are measured: `--arithmetic` runs the pipeline on this machine with the instructions of older processors
and writes tolerances.json.
"""

import argparse
import hashlib
import io
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import yaml
from PIL import Image

from reporting.pages.provenance import names

ROOT = Path(__file__).parents[1]
TOLERANCES = "tolerances.json"
ARITHMETICS = ("AVX2", "SSE41")  # values of DAE_ARITHMETIC, see dae/__init__.py
NUMBER, PICTURE = re.compile(r"-?\d+(?:\.\d+)?"), re.compile('"data:[^"]*"')  # in a figure
TIMES = 3  # a tolerance is this multiple of the largest distance between runs with different arithmetic
DIFFERENT, AGREES = 1, 2  # exit statuses
# what a user of another machine may have set; none of it may change a byte
ELSEWHERE = {
    "TZ": "Pacific/Chatham",
    **{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},  # ASCII
    "PYTHONHASHSEED": "1",
    "DAE_JOBS": str((os.cpu_count() or 1) + 1),
    **{"KERAS_BACKEND": "torch", "TF_ENABLE_ONEDNN_OPTS": "0", "ONEDNN_DEFAULT_FPMATH_MODE": "BF16"},
    **{"XLA_FLAGS": "--no_such_flag", "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit"},
    **{"MPLBACKEND": "module://matplotlib_inline.backend_inline", "OPENBLAS_CORETYPE": "Prescott"},
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "3"),
}
KERAS_JSON = {"backend": "jax", "floatx": "float16", "epsilon": 0.1, "image_data_format": "channels_first"}
MATPLOTLIBRC = "font.size: 5\nfont.family: serif\nlines.linewidth: 7\nsavefig.bbox: tight\nfigure.dpi: 30\n"


class Unverifiable(Exception):
    """The commit cannot be compared; the message says why."""


def main() -> None:
    """Verify the last commit or measure the tolerances, and exit with the status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--elsewhere",
        action="store_true",
        help="under another time zone, locale, hash seed, umask and number of processes, other settings of the "
        "libraries and, for root, as another user",
    )
    kind.add_argument(
        "--arithmetic",
        action="store_true",
        help=f"with the instructions of older processors ({', '.join(ARITHMETICS)}); writes {TOLERANCES}",
    )
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="verify-") as folder:
            sys.exit(measure(Path(folder)) if arguments.arithmetic else verify(Path(folder), arguments.elsewhere))
    except Unverifiable as error:
        sys.exit(f"FAILED: {error}")


class Commit:
    """The last commit, cloned into an empty folder, with its outputs moved to another.

    Attributes:
        clone: folder of the clone, without outputs.
        committed: folder with the committed outputs that are in git.
        lock, stages: the stages in dvc.lock and in dvc.yaml, by name.
        metrics: paths of the files of metrics.
        outputs: MD5 of each output in dvc.lock, by its path.

    Raises:
        Unverifiable: there is no commit, or results are missing in it.
    """

    def __init__(self, folder: Path):
        self.clone, self.committed = folder / "clone", folder / "committed"
        git("-c", "advice.detachedHead=false", "clone", "--quiet", str(ROOT), str(self.clone))
        if git("status", "--porcelain", "--untracked-files=no"):
            print("Changes that are not committed are left out.", flush=True)
        pipeline = yaml.safe_load((self.clone / "dvc.yaml").read_text())
        self.stages, self.metrics = pipeline["stages"], names(pipeline.get("metrics", []))
        if not self.metrics:
            raise Unverifiable("dvc.yaml names no metrics, so that a verdict could not be compared")
        self.lock = locked(self.clone)
        if unlocked := [name for name in self.stages if name not in self.lock]:
            raise Unverifiable(f"dvc.lock lacks {', '.join(unlocked)}")
        self.outputs = {out["path"]: out["md5"] for name in self.stages for out in self.lock[name].get("outs", [])}
        for path in self.outputs:
            if (self.clone / path).exists():
                (self.committed / path).parent.mkdir(parents=True, exist_ok=True)
                (self.clone / path).rename(self.committed / path)
        (self.clone / "dvc.lock").unlink()
        if missing := [path for path in self.metrics if not (self.committed / path).is_file()]:
            raise Unverifiable(f"git has no {', '.join(missing)}, which dvc.yaml names as metrics")

    def repro(self, command: list[str], environment: dict[str, str], umask: int = -1) -> None:
        """Make all outputs again in the clone.

        Args:
            command: words to put before `dvc repro`, such as those that change the user.
            environment: the environment variables.
            umask: the umask, or -1 for the present one.

        Raises:
            Unverifiable: `dvc repro` failed.
        """
        call = [*command, sys.executable, "-m", "dvc", "repro", "--no-run-cache"]
        if subprocess.run(call, cwd=self.clone, env=environment, umask=umask).returncode:
            raise Unverifiable("dvc repro in the fresh clone")


def git(*arguments: str) -> str:
    """The output of a git command in the project's folder.

    Raises:
        Unverifiable: git failed; the message has its first line.
    """
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, env=without("GIT_"), errors="replace"
    )
    if done.returncode:
        reason = (done.stderr.strip() or "git failed").splitlines()[0]
        raise Unverifiable(f"{reason} - a commit is compared, so {ROOT} must be a git repository of its own")
    return done.stdout


def verify(folder: Path, elsewhere: bool) -> int:
    """Clone, run and compare in an empty folder; returns the exit status.

    Raises:
        Unverifiable: the commit cannot be compared.
    """
    commit = Commit(folder)
    lock, stages, outputs, clone, committed = commit.lock, commit.stages, commit.outputs, commit.clone, commit.committed
    environment, command = surroundings(folder), []
    if elsewhere:
        environment |= ELSEWHERE | set_files(folder)
        command = another_user(folder, environment)
    commit.repro(command, environment, 0o077 if elsewhere else -1)
    made = locked(clone)
    # a commit whose dvc.lock is out of date proves nothing, even if its outputs are equal
    stale = [name for name in stages if inputs(lock[name], outputs) != inputs(made[name], outputs)]
    if stale:
        raise Unverifiable(f"dvc.lock is not of this commit's code and parameters: {', '.join(stale)}")
    again = {out["path"]: out["md5"] for name in stages for out in made[name].get("outs", [])}
    differing = [path for path in outputs if outputs[path] != again[path]]
    if not differing:
        print(f"VERIFIED: all {len(outputs)} outputs of {len(stages)} stages are the same bytes as in dvc.lock")
        return 0
    print(f"DIFFERENT: {len(differing)} of {len(outputs)} outputs; in the order of the stages:")
    for path in outputs:
        original(path, outputs[path], committed)
    for name in stages:
        for path in (out["path"] for out in lock[name].get("outs", []) if out["path"] in differing):
            for file in inside(committed, path) | inside(clone, path):
                if not (committed / file).exists():
                    text = "the committed file is not here to compare with (dvc pull)"
                elif not (clone / file).exists():
                    text = "is no longer made"
                elif (committed / file).read_bytes() == (clone / file).read_bytes():
                    continue
                else:
                    text = difference(committed / file, clone / file)
                print(f"  {name}: {file}: {text}")
    outside = disagreements(metrics_of(committed, commit.metrics), metrics_of(clone, commit.metrics), tolerances())
    if outside:
        print("\n  ".join([f"The metrics do not agree within their tolerances ({TOLERANCES}):", *outside]))
        return DIFFERENT
    print(f"The verdict is the same, and every metric agrees within its tolerance ({TOLERANCES})")
    return AGREES


def measure(folder: Path) -> int:
    """Run the pipeline with each arithmetic, print how much the metrics change, and write the tolerances.

    Returns:
        The exit status: 0, or 1 if a verdict changes.
    """
    runs = {}
    for arithmetic in ARITHMETICS:
        commit = Commit(folder / arithmetic)
        runs["committed"] = metrics_of(commit.committed, commit.metrics)
        commit.repro([], surroundings(folder) | {"DAE_ARITHMETIC": arithmetic})
        runs[arithmetic] = metrics_of(commit.clone, commit.metrics)
    found = {
        name: {run: values.get(name) for run, values in runs.items()}
        | {"tolerance": tolerance([values.get(name) for values in runs.values()])}
        for name in runs["committed"]
    }
    (ROOT / TOLERANCES).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(pd.DataFrame(found).T.to_string())
    texts = [name for name, row in found.items() if isinstance(row["committed"], str)]
    changed = [name for name in texts if len({found[name][run] for run in runs}) > 1]
    print(f"{TOLERANCES} is written; {', '.join(changed) or 'no verdict'} changes with the arithmetic")
    return DIFFERENT if changed else 0


def tolerance(values: list) -> float | None:
    """`TIMES` the largest distance between two of a metric's values, and at least `TIMES` units of their last digit.

    None if they are not numbers; texts must be equal.
    """
    if not all(isinstance(value, int | float) for value in values):
        return None
    digits = max(len(repr(value).partition(".")[2]) for value in values)
    distance = max([abs(a - b) for a, b in combinations(values, 2)] + [10.0**-digits])
    return float(f"{TIMES * distance:.{digits}f}")


def tolerances() -> dict[str, float | None]:
    """The tolerance of each metric, by `file: name`; there is none before `--arithmetic` has run."""
    path = ROOT / TOLERANCES
    return {name: row["tolerance"] for name, row in json.loads(path.read_text()).items()} if path.is_file() else {}


def metrics_of(folder: Path, files: list[str]) -> dict[str, object]:
    """The numbers and texts in files of metrics below `folder`, by `file: name`."""
    return {
        f"{file}: {name}": value
        for file in files
        for name, value in leaves(json.loads((folder / file).read_text(encoding="utf-8")))
    }


def disagreements(one: dict[str, object], other: dict[str, object], allowed: dict[str, float | None]) -> list[str]:
    """A line for each metric that differs by more than its tolerance, or that differs and has no tolerance."""
    found = []
    for name in one | other:
        a, b, most = one.get(name), other.get(name), allowed.get(name)
        if a == b:
            continue
        limit = ""
        if isinstance(a, int | float) and isinstance(b, int | float) and most is not None:
            if abs(a - b) <= most * (1 + 1e-9):
                continue
            limit = f"; allowed is {most:g} more or less"
        found.append(f"{name} was {a}, is {b}{limit}")
    return found


def without(*prefixes: str) -> dict[str, str]:
    """The environment without the variables that begin with a prefix."""
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def set_files(folder: Path) -> dict[str, str]:
    """Write settings files of Keras and matplotlib as a user may have them; returns the variables that name them."""
    keras, matplotlibrc = folder / "keras" / "keras.json", folder / "matplotlibrc"
    keras.parent.mkdir()
    keras.write_text(json.dumps(KERAS_JSON))
    matplotlibrc.write_text(MATPLOTLIBRC)
    return {"KERAS_HOME": str(keras.parent), "MATPLOTLIBRC": str(matplotlibrc)}


def surroundings(folder: Path) -> dict[str, str]:
    """The environment, without the user's configuration and caches of DVC."""
    return without("DVC_", "GIT_", "DAE_ARITHMETIC") | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "DVC_NO_ANALYTICS": "1",
        **{f"DVC_{kind}_DIR": str(folder / kind) for kind in ("GLOBAL_CONFIG", "SYSTEM_CONFIG", "SITE_CACHE")},
    }


def another_user(folder: Path, environment: dict[str, str]) -> list[str]:
    """Words to put before a command so that root runs it as `nobody`; none for another user.

    `nobody` may read all files, but write only in `folder`. All files in `folder` are given to `nobody`, and
    `environment` gets the home and name of this user.
    """
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        print("Not as another user: that needs root and the command setpriv")
        return []
    user = pwd.getpwnam("nobody")
    (folder / "home").mkdir()
    environment |= {"HOME": str(folder / "home"), "USER": user.pw_name, "LOGNAME": user.pw_name}
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    capability = [f"--{kind}-caps=-all,+dac_read_search" for kind in ("inh", "ambient")]
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *capability]


def locked(project: Path) -> dict:
    """The stages of a project's dvc.lock."""
    return yaml.safe_load((project / "dvc.lock").read_text())["stages"]


def inputs(stage: dict, outputs: dict) -> dict:
    """What defines a locked stage, without its results: command, code, parameters, and the names of its outputs."""
    code = {dep["path"]: dep["md5"] for dep in stage.get("deps", []) if dep["path"] not in outputs}
    names = [out["path"] for out in stage.get("outs", [])]
    return {"cmd": stage["cmd"], "params": stage.get("params"), "code": code, "outs": names}


def inside(folder: Path, path: str) -> dict[str, None]:
    """The files of an output, in order: the output itself, or all files in it if it is a folder."""
    files = sorted(file for file in (folder / path).rglob("*") if file.is_file()) or [folder / path]
    return dict.fromkeys(file.relative_to(folder).as_posix() for file in files)


def original(path: str, md5: str, committed: Path) -> None:
    """Copy the output with this path and MD5 into `committed`, from the working tree or DVC's cache if it is there."""
    if (committed / path).exists():
        return
    for file in (ROOT / path, ROOT / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]):
        if file.is_file() and hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest() == md5:
            (committed / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, committed / path)
            return


def difference(one: Path, other: Path) -> str:
    """How two versions of a file differ: the largest difference between numbers, and what else is unequal."""
    try:
        a, b = dict(values(one)), dict(values(other))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        return f"cannot be compared: {error}"
    unequal = sorted(a.keys() ^ b.keys())
    largest, where = 0.0, None
    for name in [name for name in a if name in b]:
        if a[name].shape == b[name].shape and {a[name].dtype.kind, b[name].dtype.kind} <= set("buif"):
            x, y = a[name].astype(np.float64), b[name].astype(np.float64)
            gaps = np.where(np.isnan(x) & np.isnan(y), 0, np.abs(x - y))
            if gaps.size and not gaps.max() <= largest:
                largest, where = gaps.max(), name
        elif a[name].shape != b[name].shape or not np.array_equal(a[name], b[name]):
            unequal.append(name)
    parts = [] if where is None else [f"largest difference {largest:.3g}" + (f" ({where})" if where else "")]
    if unequal:
        parts.append(f"{len(unequal)} unequal: {', '.join(unequal[:3])}" + (" ..." if len(unequal) > 3 else ""))
    return "; ".join(parts) or "the same content in other bytes"


def values(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the content of a file as named arrays: numbers if it has any, else text."""
    if path.suffix == ".npy":
        yield "", np.load(path, allow_pickle=False)
    elif path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            yield from archive.items()
    elif path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            yield "config", np.array(archive.read("config.json").decode())
            weights = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
        found = {}
        weights.visititems(
            lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
        )
        yield from found.items()
    elif path.suffix == ".csv":
        yield from ((name, column.to_numpy()) for name, column in pd.read_csv(path).items())
    elif path.suffix == ".json":
        yield from ((name, np.array(value)) for name, value in leaves(json.loads(path.read_text(encoding="utf-8"))))
    elif path.suffix == ".webp":
        yield "pixels of 0 to 255", np.asarray(Image.open(path))
    elif path.suffix == ".svg":
        text = path.read_text(encoding="utf-8")
        drawn = PICTURE.sub("", text)
        yield "points", np.array(NUMBER.findall(drawn), float)
        yield "text", np.array(NUMBER.sub("", drawn))
        yield "pictures", np.array(PICTURE.findall(text))
    else:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        yield from ((f"line {number}", np.array(line)) for number, line in enumerate(lines, start=1))


def leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Yield the numbers and texts in nested JSON, with their dotted names."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


if __name__ == "__main__":
    main()
