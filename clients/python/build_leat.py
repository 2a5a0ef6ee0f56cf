"""Builds the wheel with Python's own library, so that `pip install` needs no network and no other package (PEP 517)."""
import base64
import hashlib
import io
import os
import re
import tarfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
DAY_ZERO = (1980, 1, 1, 0, 0, 0)  # the same files give the same bytes


def _read(*path):
    with open(os.path.join(HERE, *path), "rb") as f:
        return f.read()


def _project():
    """The plain texts of [project] in pyproject.toml: nothing else stands there."""
    part = _read("pyproject.toml").decode().partition("[project]")[2].partition("\n[")[0]
    return dict(re.findall(r'^([a-z-]+) = "(.*)"$', part, re.M))


def _metadata(p):
    head = ["Metadata-Version: 2.1", "Name: " + p["name"], "Version: " + p["version"], "Summary: " + p["description"],
            "License: Apache-2.0", "Requires-Python: " + p["requires-python"],
            "Description-Content-Type: text/markdown"]
    return ("\n".join(head) + "\n\n").encode() + _read(p["readme"])


def _write_wheel(folder, files, p):
    info = "%s-%s.dist-info/" % (p["name"], p["version"])
    files = dict(files)
    files[info + "METADATA"] = _metadata(p)
    files[info + "WHEEL"] = b"Wheel-Version: 1.0\nGenerator: build_leat\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = ""
    for name in sorted(files):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=").decode()
        record += "%s,sha256=%s,%d\n" % (name, digest, len(files[name]))
    files[info + "RECORD"] = (record + info + "RECORD,,\n").encode()
    name = "%s-%s-py3-none-any.whl" % (p["name"], p["version"])
    with zipfile.ZipFile(os.path.join(folder, name), "w", zipfile.ZIP_DEFLATED) as z:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, DAY_ZERO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            z.writestr(entry, files[path])
    return name


def _package():
    folder = os.path.join(HERE, "src", "leat")
    return {"leat/" + name: _read("src", "leat", name) for name in sorted(os.listdir(folder))
            if name.endswith(".py") or name == "py.typed"}


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return _write_wheel(wheel_directory, _package(), _project())


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _write_wheel(wheel_directory, {"_leat.pth": (os.path.join(HERE, "src") + "\n").encode()}, _project())


def build_sdist(sdist_directory, config_settings=None):
    p = _project()
    top = "%s-%s" % (p["name"], p["version"])
    files = {"src/" + name: data for name, data in _package().items()}
    files["PKG-INFO"] = _metadata(p)
    for name in ("build_leat.py", "pyproject.toml", p["readme"]):
        files[name] = _read(name)
    with tarfile.open(os.path.join(sdist_directory, top + ".tar.gz"), "w:gz", format=tarfile.PAX_FORMAT) as t:
        for name in sorted(files):
            entry = tarfile.TarInfo(top + "/" + name)
            entry.size = len(files[name])
            t.addfile(entry, io.BytesIO(files[name]))
    return top + ".tar.gz"
