"""Is this commit reproducible? Run its pipeline afresh and compare every output with the committed dvc.lock.

The commit is cloned into a new folder, without cache and run cache and without its outputs; `dvc repro` makes them
again. Exit status: 0, all are the same bytes; 2, some differ, but the verdict is the same and all metrics agree within
the tolerance, which is what another kind of processor must reach; 1, neither, or the pipeline failed.
"""

import argparse
import hashlib
import io
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import yaml
from matplotlib.image import imread

ROOT = Path(__file__).parent
ABSOLUTE, RELATIVE = 0.01, 0.05  # tolerance of a metric: the larger of 0.01 and 5 % of the committed number
DIFFERENT, AGREES = 1, 2  # exit statuses
ELSEWHERE = {
    "TZ": "Pacific/Chatham",
    **{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},  # ASCII
    "PYTHONHASHSEED": "1",
    "DAE_JOBS": str((os.cpu_count() or 1) + 1),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--elsewhere",
        action="store_true",
        help="under another time zone, locale, hash seed, umask and number of processes and, for root, as another user",
    )
    elsewhere = parser.parse_args().elsewhere
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        sys.exit(verify(Path(folder), elsewhere))


def verify(folder: Path, elsewhere: bool) -> int:
    """Clone, run and compare in an empty folder; returns the exit status."""
    clone, committed = folder / "clone", folder / "committed"
    subprocess.run(["git", "-c", "advice.detachedHead=false", "clone", "--quiet", ROOT, clone], check=True)
    if subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=ROOT).returncode:
        print("What is not committed is left out.")
    lock, stages = locked(clone), yaml.safe_load((clone / "dvc.yaml").read_text())["stages"]
    if unlocked := [name for name in stages if name not in lock]:
        print(f"FAILED: dvc.lock lacks {', '.join(unlocked)}")
        return DIFFERENT
    outputs = {out["path"]: out["md5"] for name in stages for out in lock[name].get("outs", [])}
    for path in outputs:
        if (clone / path).exists():
            (committed / path).parent.mkdir(parents=True, exist_ok=True)
            (clone / path).rename(committed / path)
    (clone / "dvc.lock").unlink()

    repro = [sys.executable, "-m", "dvc", "repro", "--no-run-cache"]
    environment = surroundings(folder)
    if elsewhere:
        environment |= ELSEWHERE
        repro = [*another_user(folder, environment), *repro]
    if subprocess.run(repro, cwd=clone, env=environment, umask=0o077 if elsewhere else -1).returncode:
        print("FAILED: dvc repro in the fresh clone")
        return DIFFERENT
    made = locked(clone)
    stale = [name for name in stages if inputs(lock[name], outputs) != inputs(made[name], outputs)]
    if stale:
        print(f"FAILED: dvc.lock is not of this commit's code and parameters: {', '.join(stale)}")
        return DIFFERENT
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
    metrics = [
        item if isinstance(item, str) else next(iter(item)) for s in stages.values() for item in s.get("metrics", [])
    ]
    outside = [f"{path}: {line}" for path in metrics for line in disagreements(committed / path, clone / path)]
    allowed = f"{ABSOLUTE:g} or {RELATIVE:.0%}, whichever is more"
    if outside:
        print("\n  ".join([f"The metrics do not agree within the tolerance ({allowed}):", *outside]))
        return DIFFERENT
    print(f"The verdict is the same, and all metrics agree within the tolerance ({allowed})")
    return AGREES


def surroundings(folder: Path) -> dict[str, str]:
    """The environment, but for any configuration and cache of DVC's."""
    return {key: value for key, value in os.environ.items() if not key.startswith("DVC_")} | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "DVC_NO_ANALYTICS": "1",
        **{f"DVC_{kind}_DIR": str(folder / kind) for kind in ("GLOBAL_CONFIG", "SYSTEM_CONFIG", "SITE_CACHE")},
    }


def another_user(folder: Path, environment: dict[str, str]) -> list[str]:
    """What to put before a command for root to run it as `nobody`, who may read all, but write in `folder` alone."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        print("Not as another user: that takes root, and setpriv")
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
    """What a locked stage is, its results aside: command, code, parameters, and the names of its outputs."""
    code = {dep["path"]: dep["md5"] for dep in stage.get("deps", []) if dep["path"] not in outputs}
    names = [out["path"] for out in stage.get("outs", [])]
    return {"cmd": stage["cmd"], "params": stage.get("params"), "code": code, "outs": names}


def inside(folder: Path, path: str) -> dict[str, None]:
    """The files of an output, in order: itself, or all that are in it."""
    files = sorted(file for file in (folder / path).rglob("*") if file.is_file()) or [folder / path]
    return dict.fromkeys(file.relative_to(folder).as_posix() for file in files)


def original(path: str, md5: str, committed: Path) -> None:
    """Put the file that a path and MD5 in dvc.lock stand for into `committed`: from the working tree or DVC's cache."""
    if (committed / path).exists():
        return
    for file in (ROOT / path, ROOT / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]):
        if file.is_file() and hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest() == md5:
            (committed / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, committed / path)
            return


def difference(one: Path, other: Path) -> str:
    """By how much two versions of a file differ: the largest difference between numbers, and what else is unequal."""
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
    """What a file holds, as named arrays: numbers where there are any, else text."""
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
    elif path.suffix == ".png":
        yield "pixels of 0 to 1", imread(path)
    else:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        yield from ((f"line {number}", np.array(line)) for number, line in enumerate(lines, start=1))


def leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """The numbers and texts in nested JSON, by their dotted names."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def disagreements(one: Path, other: Path) -> list[str]:
    """The metrics in two JSON files that differ by more than the tolerance, or at all where they are no numbers."""
    a, b = (dict(leaves(json.loads(path.read_text(encoding="utf-8")))) for path in (one, other))
    return [f"{name} was {a.get(name)}, is {b.get(name)}" for name in a | b if not agree(a.get(name), b.get(name))]


def agree(a: object, b: object) -> bool:
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) <= max(ABSOLUTE, RELATIVE * abs(a))
    return a == b


if __name__ == "__main__":
    main()
