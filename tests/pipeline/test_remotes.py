"""Sharing through real remotes on this machine: a folder, an SSH server, an S3 server."""

import contextlib
import getpass
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
import yaml
from conftest import Project
from moto.server import ThreadedMotoServer


class Folder:
    """A remote in a folder, whichever way it is reached."""

    def __init__(self, folder: Path, url: str | None = None, **options: str):
        self.folder, self.url, self.options = folder, url or str(folder), options

    def path(self, md5: str) -> Path:
        return self.folder / "files" / "md5" / md5[:2] / md5[2:]

    def damage(self, md5: str) -> None:
        self.path(md5).chmod(0o600)
        self.path(md5).write_bytes(b"damaged")
        self.path(md5).chmod(0o444)  # as DVC leaves its objects

    def lose(self, md5: str) -> None:
        self.path(md5).unlink()


class S3:
    """A remote in a bucket."""

    def __init__(self, endpoint: str):
        self.options = {"endpointurl": endpoint, "access_key_id": "key", "secret_access_key": "secret"}
        self.client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        self.client.create_bucket(Bucket="bucket")
        self.url = "s3://bucket/mnist"

    def at(self, md5: str) -> dict[str, str]:
        return {"Bucket": "bucket", "Key": f"mnist/files/md5/{md5[:2]}/{md5[2:]}"}

    def damage(self, md5: str) -> None:
        self.client.put_object(**self.at(md5), Body=b"damaged")

    def lose(self, md5: str) -> None:
        self.client.delete_object(**self.at(md5))


@contextlib.contextmanager
def ssh_server(sshd: str, folder: Path):
    """An OpenSSH server of our own; yields its port and the key that opens it."""
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "user.pub",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "yes",
        "Subsystem": "sftp internal-sftp",
    }
    (folder / "sshd_config").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    if getpass.getuser() == "root":
        Path("/run/sshd").mkdir(exist_ok=True)  # where a server of root separates its privileges
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([sshd, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
    try:
        for _ in range(100):
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            assert server.poll() is None, (folder / "log").read_text()
            time.sleep(0.05)
        yield port, folder / "user"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(params=["folder", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("ssh", "s3"))])
def remote(request, tmp_path, tool):
    store = tmp_path / "store"
    if request.param == "folder":
        yield Folder(store)
    elif request.param == "ssh":
        keys = tmp_path / "keys"
        keys.mkdir()
        with ssh_server(tool("sshd", "/usr/sbin/sshd"), keys) as (port, key):
            yield Folder(store, f"ssh://127.0.0.1:{port}{store}", user=getpass.getuser(), keyfile=str(key))
    else:
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        yield S3("http://{}:{}".format(*server.get_host_and_port()))
        server.stop()


@pytest.fixture(scope="module")
def first(project):
    """Who computed: the small pipeline and an experiment of it, pushed to git."""
    project.origin = project.folder.parent / "origin.git"
    project.call("git", "clone", "--quiet", "--bare", ".", str(project.origin))
    project.call("git", "remote", "add", "origin", str(project.origin))
    project.dvc("exp", "run", "--set-param", "evaluate.margin=0.2", "--name", "wide")
    project.call("git", "checkout", "--quiet", "--force", "main")
    return project


def test_a_team_shares_through_a_remote(first, remote, tmp_path):
    first.dvc("remote", "add", "--local", "--default", "--force", "storage", remote.url)
    for name, value in {"verify": "true", **remote.options}.items():
        first.dvc("remote", "modify", "--local", "storage", name, value)
    first.dvc("push")
    first.dvc("exp", "push", "--force", "origin", "wide")

    # the others have a clone from git, the remote, and no other source of data
    second = Project(tmp_path / "second", first.environment | {"DAE_DATA": "nowhere"})
    subprocess.run(["git", "clone", "--quiet", first.origin, second.folder], check=True)
    shutil.copy(first.folder / ".dvc" / "config.local", second.folder / ".dvc")
    assert second.ran(second.dvc("repro", "--pull")) == []
    second.dvc("pull")
    lock = yaml.safe_load((second.folder / "dvc.lock").read_text())["stages"]
    held = {out["path"]: out["md5"] for stage in lock.values() for out in stage["outs"] if "data/" in out["path"]}
    assert len(held) == 16

    def assert_all_there():
        for path in held:
            assert (second.folder / path).read_bytes() == (first.folder / path).read_bytes()
        assert "up to date" in second.dvc("status", "dvc.yaml")

    assert_all_there()
    second.dvc("exp", "pull", "origin", "wide")
    second.dvc("exp", "apply", "wide")
    assert "margin: 0.2" in (second.folder / "params.yaml").read_text()
    assert_all_there()

    # damaged and lost objects are told of, and healed by whoever has them
    spoilt = ["data/finetune/classifier.keras", "data/baseline/probabilities.npy"]
    remote.damage(held[spoilt[0]])
    remote.lose(held[spoilt[1]])
    for folder in (".dvc/cache", "data"):
        shutil.rmtree(second.folder / folder)
    second.call("git", "restore", "data")  # where the data sets come from is in git
    output = second.dvc("pull", ok=False)
    assert "Traceback" not in output
    for path in spoilt:
        assert path in output
        assert not (second.folder / path).exists()
    healed = first.call(sys.executable, "-m", "tools.heal_remote")
    assert "2 files pushed" in healed
    second.dvc("pull")
    assert_all_there()
