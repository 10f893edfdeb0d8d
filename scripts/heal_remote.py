"""Read all that a DVC remote holds, remove what is damaged, and push it anew: python scripts/heal_remote.py [REMOTE].

`dvc push` looks only whether an object is there. Whoever has the data runs this after a pull that found some damaged;
who has not can make them again by `dvc repro --pull` first, to the same byte.
"""

import sys

from dvc.repo import Repo
from dvc_data.hashfile.hash import hash_file


def main(name: str | None = None) -> None:
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
