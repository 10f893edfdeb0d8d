"""Read all objects of a DVC remote, remove damaged ones, and push them again: python -m tools.heal_remote [REMOTE].

`dvc push` checks only whether an object exists. Run this after a pull that found damaged objects, on a machine that has
the data. If no machine has them, run `dvc repro --pull` first: it makes the same bytes again.
"""

import sys

from dvc.repo import Repo
from dvc_data.hashfile.hash import hash_file


def main(name: str | None = None) -> None:
    """Heal the remote called `name`, or the default one."""
    with Repo() as repo:
        remote = repo.cloud.get_remote_odb(name)
        for md5 in list(remote.all()):
            _, found = hash_file(remote.oid_to_path(md5), remote.fs, remote.hash_name)
            if found.value != md5.removesuffix(".dir"):
                print(f"{md5} is damaged: removed")
                remote.delete(md5)
        print(f"{repo.push(remote=name)} files pushed")


if __name__ == "__main__":
    main(*sys.argv[1:])
