"""Python environments of jobs (flow/pyenv.h): run by the interpreter that one is made from, or looked into.

environment.py about            what this interpreter is
environment.py freeze           the same, the packages that it finds, and the folders in which they lie
environment.py build REQUEST    makes one; how it went stands in a file of the folder that the request names
environment.py lines REQUEST    by the new one itself: what a lock file means to pip

Also for Pythons of long ago, and without any package but pip's own.
"""
import io
import json
import os
import re
import subprocess
import sys


class Refused(Exception):
    def __init__(self, text, hint=""):
        Exception.__init__(self, text)
        self.hint = hint


def read(path):
    with io.open(path, encoding="utf-8-sig", errors="replace") as f:
        return f.read()


def write(path, text):
    with io.open(path, "w", encoding="utf-8") as f:
        f.write(text)


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


# --- what an interpreter is, and has ---

HIDDEN = ("pip", "setuptools", "wheel", "distribute", "pkg-resources")


def about():
    return {"version": "%d.%d.%d" % sys.version_info[:3], "implementation": sys.implementation.name,
            "executable": sys.executable, "real": os.path.realpath(sys.executable), "prefix": sys.prefix}


def read_metadata(path):
    name = version = None
    for file in ("METADATA", "PKG-INFO", ""):
        try:
            with io.open(os.path.join(path, file) if file else path, encoding="utf-8", errors="replace") as f:
                for line in f:
                    if line.startswith("Name:"):
                        name = line[5:].strip()
                    elif line.startswith("Version:"):
                        version = line[8:].strip()
                    if name and version:
                        return name, version
                    if not line.strip():
                        break
        except (OSError, IOError):
            continue
    return None, None


def origin(path):
    """What a package that came from no index was made of."""
    try:
        d = json.loads(read(os.path.join(path, "direct_url.json")))
    except (OSError, IOError, ValueError):
        return ""
    url, vcs, archive = d.get("url", ""), d.get("vcs_info"), d.get("archive_info")
    if vcs:
        return "%s+%s@%s" % (vcs.get("vcs", ""), url, vcs.get("commit_id", ""))
    if archive and (archive.get("hashes") or {}).get("sha256"):
        return "%s#sha256=%s" % (url, archive["hashes"]["sha256"])
    return url


def freeze():
    found, places = {}, []
    for place in sys.path:
        try:
            names = os.listdir(place or ".")
            places.append([place, os.stat(place).st_mtime_ns])
        except OSError:
            continue
        for file in names:
            if not file.endswith((".dist-info", ".egg-info")):
                continue
            path = os.path.join(place, file)
            name, version = read_metadata(path)
            if not name or plain(name) in found or plain(name) in HIDDEN:
                continue
            url = origin(path)
            found[plain(name)] = "%s @ %s" % (name, url) if url else "%s==%s" % (name, version)
    lines = [found[name] for name in sorted(found)]
    try:  # where they came from, for who makes it anew
        lines = read(os.path.join(sys.prefix, "leat-options.txt")).split("\n")[:-1] + lines
    except (OSError, IOError):
        pass
    d = about()
    d.update(packages=len(found), places=places, freeze="".join(line + "\n" for line in lines))
    return d


# --- what a lock file means to pip ---

def toml(path):
    try:
        import tomllib
    except ImportError:
        try:
            from pip._vendor import tomli as tomllib
        except ImportError:
            raise Refused("this Python cannot read TOML", "Python 3.11 or a newer pip can")
    try:
        return tomllib.loads(read(path))
    except ValueError as e:
        raise Refused("it is no TOML: %s" % e)


def holds(marker):
    from pip._vendor.packaging.markers import Marker
    try:
        return not marker or Marker(marker).evaluate({"extra": ""})
    except Exception as e:
        raise Refused("the marker %s cannot be understood: %s" % (marker, e))


def fits(spec):
    """Whether a range of versions holds this Python."""
    from pip._vendor.packaging.specifiers import SpecifierSet
    try:
        return SpecifierSet(spec).contains("%d.%d.%d" % sys.version_info[:3], prereleases=True)
    except Exception:
        return True


def needs_python(spec):
    if spec and not fits(spec):
        raise Refused("it is for Python %s, and this is %d.%d.%d" % ((spec,) + sys.version_info[:3]),
                      "name another by `environment: {file: FILE, python: python3.N}`")


def pinned(name, version, hashes, extras=()):
    parts = [name + ("[%s]" % ",".join(extras) if extras else "") + "==" + version]
    return " ".join(parts + ["--hash=" + h for h in sorted(set(hashes)) if h])


def index_line(url):
    from pip._internal.models.index import PyPI
    own = (PyPI.simple_url, PyPI.simple_url + "/", "")
    return [] if (url or "").rstrip("/") in [u.rstrip("/") for u in own] else ["--index-url " + url]


def of_pipfile(name, spec):
    if not isinstance(spec, dict):
        return name if spec == "*" else name + spec
    if spec.get("path") or spec.get("editable"):
        raise Refused("%s is a folder (path, editable), which no environment that is kept can hold" % name)
    extras = "[%s]" % ",".join(spec["extras"]) if spec.get("extras") else ""
    if spec.get("git"):
        line = "%s%s @ git+%s%s" % (name, extras, spec["git"], "@" + spec["ref"] if spec.get("ref") else "")
    else:
        version = spec.get("version", "*")
        line = name + extras + ("" if version == "*" else version)
    if spec.get("markers"):
        line += " ; " + spec["markers"]
    return " ".join([line] + ["--hash=" + h for h in spec.get("hashes", [])])


def lines_pipfile_lock(q):
    doc = json.loads(read(q["file"]))
    meta = doc.get("_meta", {})
    asked = meta.get("requires", {})
    version = asked.get("python_full_version") or asked.get("python_version")
    needs_python(version and "==%s%s" % (version, ".*" if version.count(".") < 2 else ""))
    sources = meta.get("sources") or [{}]
    out = index_line(sources[0].get("url", ""))
    out += ["--extra-index-url " + s["url"] for s in sources[1:] if s.get("url")]
    return out + [of_pipfile(name, spec) for name, spec in sorted(doc.get("default", {}).items())], True


def lines_pipfile(q):
    lock = q["file"] + ".lock"
    if os.path.exists(lock):
        return lines_pipfile_lock(dict(q, file=lock))
    doc = toml(q["file"])
    version = doc.get("requires", {}).get("python_version")
    needs_python(version and "==%s.*" % version)
    sources = doc.get("source") or [{}]
    return index_line(sources[0].get("url", "")) + [of_pipfile(n, s) for n, s in doc.get("packages", {}).items()], False


def walk(roots, packages, edges):
    """All that roots lead to: keys of packages. edges(package) gives (key or name, extras)."""
    seen, todo = set(), list(roots)
    while todo:
        key, extras = todo.pop()
        if (key, extras) in seen or key not in packages:
            continue
        seen.add((key, extras))
        todo += edges(packages[key], extras)
    out = {}
    for key, extras in seen:
        out.setdefault(key, set()).update(extras)
    return out


def lines_uv(q):
    doc = toml(q["file"])
    needs_python(doc.get("requires-python"))
    packages, by_name = {}, {}
    for p in doc.get("package", []):
        packages[(p["name"], p.get("version", ""))] = p
        by_name.setdefault(p["name"], []).append(p)
    own = [p for p in doc.get("package", []) if set(p.get("source", {})) & {"virtual", "editable", "directory"}]

    def edges_of(list_of):
        out = []
        for d in list_of:
            if not holds(d.get("marker")):
                continue
            for p in by_name.get(d["name"], []):
                if d.get("version") in (None, p.get("version")) and d.get("source") in (None, p.get("source")):
                    out.append(((p["name"], p.get("version", "")), tuple(d.get("extra", ()))))
        return out

    def edges(p, extras):
        more = [d for x in extras for d in p.get("optional-dependencies", {}).get(x, [])]
        return edges_of(p.get("dependencies", []) + more)

    roots = [((p["name"], p.get("version", "")), ()) for p in own or doc.get("package", [])]
    out, index = [], set()
    for key in sorted(walk(roots, packages, edges)):
        p, source = packages[key], packages[key].get("source", {})
        if p in own:
            continue
        if "git" in source:
            url, _, commit = source["git"].partition("#")
            out.append("%s @ git+%s@%s" % (p["name"], url.partition("?")[0], commit))
        elif "url" in source:
            out.append("%s @ %s" % (p["name"], source["url"]))
        elif "path" in source:
            out.append("%s @ file://%s" % (p["name"], os.path.join(q["cwd"], source["path"])))
        else:
            files = p.get("wheels", []) + ([p["sdist"]] if "sdist" in p else [])
            out.append(pinned(p["name"], p["version"], [f.get("hash") for f in files]))
            index.add(source.get("registry", ""))
    for url in sorted(index):
        out = (index_line(url) if "://" in url or not url else ["--no-index", "--find-links " + os.path.join(q["cwd"], url)]) + out
    return out, True


def lines_poetry(q):
    doc = toml(q["file"])
    needs_python(doc.get("metadata", {}).get("python-versions", "").replace("^", ">=").replace("*", ""))
    files = doc.get("metadata", {}).get("files", {})
    packages, by_name = {}, {}
    for p in doc.get("package", []):
        marker = p.get("markers", "")
        if isinstance(marker, dict):  # by group
            marker = marker.get("main", "")
        if not holds(marker) or (p.get("python-versions", "*") != "*" and not fits(p["python-versions"])):
            continue
        packages[(plain(p["name"]), p["version"])] = p
        by_name.setdefault(plain(p["name"]), []).append((plain(p["name"]), p["version"]))

    def edges_of(deps):
        out = []
        for name, specs in deps.items():
            for spec in specs if isinstance(specs, list) else [specs]:
                spec = spec if isinstance(spec, dict) else {}
                if (not spec.get("optional") and holds(spec.get("markers")) and
                        (not spec.get("python") or fits(spec["python"]))):
                    out += [(key, tuple(spec.get("extras", ()))) for key in by_name.get(plain(name), [])]
        return out

    def edges(p, extras):
        more = {}
        for x in extras:
            for text in p.get("extras", {}).get(x, []):
                more[re.match(r"[A-Za-z0-9._-]+", text).group(0)] = {}
        return edges_of(p.get("dependencies", {})) + edges_of(more)

    project = os.path.join(os.path.dirname(q["file"]), "pyproject.toml")
    if os.path.exists(project):
        doc = toml(project)
        deps = dict(doc.get("tool", {}).get("poetry", {}).get("dependencies", {}))
        for text in doc.get("project", {}).get("dependencies", []):
            deps[re.match(r"[A-Za-z0-9._-]+", text).group(0)] = {}
        roots = edges_of(deps)
    else:
        wanted = {plain(n) for p in packages.values() for n in p.get("dependencies", {})}
        roots = [(key, ()) for key, p in packages.items() if key[0] not in wanted and not p.get("optional")]
    out = []
    for key in sorted(walk(roots, packages, edges)):
        p = packages[key]
        source = p.get("source", {})
        if source.get("type") == "git":
            out.append("%s @ git+%s@%s" % (p["name"], source["url"], source.get("resolved_reference", "")))
        elif source.get("type") in ("file", "directory"):
            out.append("%s @ file://%s" % (p["name"], os.path.join(q["cwd"], source["url"])))
        else:
            known = p.get("files") or files.get(p["name"]) or files.get(plain(p["name"])) or []
            out.append(pinned(p["name"], p["version"], [f.get("hash") for f in known]))
    return out, True


CONDA_ONLY = re.compile(r"_.*|lib(?!rosa|cst|sass|torrent|tmux|saas).*|r-.*|r|perl.*|cudatoolkit.*|cudnn|cuda-.*|mkl|mkl-service|nomkl|blas|"
                        r"openblas|openssl|ca-certificates|zlib|xz|tk|sqlite|readline|ncurses|bzip2|gcc.*|gxx.*|clang.*|"
                        r"compilers|binutils.*|sysroot.*|nodejs|openjdk|ffmpeg|git|make|hdf5|geos|proj|boost|icu|conda|"
                        r"mamba|anaconda|menuinst|vs20.*|vc|ld_impl.*|kernel-headers.*")
CONDA_NAMES = {"pytorch": "torch", "pytorch-cpu": "torch", "matplotlib-base": "matplotlib", "python-graphviz": "graphviz",
               "pytables": "tables", "msgpack-python": "msgpack", "ruamel_yaml": "ruamel.yaml", "pyqt": "PyQt5",
               "py-opencv": "opencv-python", "opencv": "opencv-python", "dask-core": "dask", "seaborn-base": "seaborn",
               "py-xgboost": "xgboost", "python-duckdb": "duckdb", "python-snappy": "python-snappy", "brotlipy": "brotli",
               "numpy-base": "numpy", "jupyter_core": "jupyter-core", "ipython_genutils": "ipython-genutils"}


def of_conda(text):
    """numpy=1.26, conda-forge::numpy 1.26.*, numpy==1.26.4=py311h1: as pip writes them; None: not its business."""
    m = re.match(r"^(?:[^:\s]+::)?([A-Za-z0-9._-]+)\s*(.*)$", text.strip())
    if not m:
        raise Refused("\"%s\" cannot be understood" % text)
    name, spec = m.group(1).lower(), m.group(2).strip()
    if name in ("python", "pip"):
        return None
    if CONDA_ONLY.match(name) and CONDA_ONLY.match(name).end() == len(name):
        raise Refused("%s is a package of conda's alone: pip has none" % name,
                      "take it out and let the system have it (apt), or name the folder of an environment that has it")
    if spec and spec[0] not in "=<>!~":
        spec = "=" + spec.split()[0] if spec[0].isdigit() else spec
    m = re.match(r"^(={1,2})([^=,<>|\s]+)(?:=\S+)?$", spec)
    if m:  # one = is all that begins so
        version = m.group(2)
        loose = m.group(1) == "=" and not version.endswith("*") and "=" not in spec[1:]
        spec = "==" + version + (".*" if loose else "")
    return CONDA_NAMES.get(name, name) + spec.replace(" ", "")


def lines_conda(q):
    out = []
    for d in (q.get("yaml") or {}).get("dependencies") or []:
        if isinstance(d, dict):
            out += [str(x) for x in d.get("pip") or []]
        elif of_conda(str(d)):
            out.append(of_conda(str(d)))
    return out, False


LINES = {"pipfile": lines_pipfile, "pipfile.lock": lines_pipfile_lock, "uv": lines_uv, "poetry": lines_poetry,
         "conda": lines_conda}


def lines(q):
    try:
        text, alone = LINES[q["form"]](q)
    except (KeyError, TypeError, AttributeError, ValueError) as e:
        raise Refused("it is not of the form that it is called by (%s: %s)" % (type(e).__name__, e))
    write(os.path.join(q["dir"], "requirements.txt"), "".join(line + "\n" for line in text))
    return {"alone": alone}


# --- making one ---

ROOM = 8192  # of the disk, kept for the answer that it is full

def with_us():
    """A child ends with who started it."""
    try:
        import ctypes
        ctypes.CDLL(None).prctl(1, 9)
    except Exception:
        pass


def call(q, argv, cwd=None):
    """Its output goes to the log. (status, what it printed)"""
    with io.open(os.path.join(q["dir"], "log"), "a", encoding="utf-8") as log:
        log.write("$ %s\n" % " ".join(argv))
        log.flush()
        at = log.tell()
        # The lock stands for whoever still writes here.
        status = subprocess.call(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=cwd,
                                 preexec_fn=with_us, pass_fds=(3,))
    with io.open(os.path.join(q["dir"], "log"), "rb") as log:
        log.seek(at)
        return status, log.read().decode("utf-8", "replace")


def last_lines(text):
    good = [line.strip() for line in text.split("\n") if line.strip() and not line.startswith(("WARNING", "[notice]"))]
    wrong = [line[6:].strip() for line in good if line.startswith("ERROR:")]
    return "; ".join((wrong or good)[-2:])


FULL = Refused("the disk is full", "leat gc gives space back")


def is_full(q, text):
    """Also where the log has no room for saying so."""
    st = os.statvfs(q["dir"])
    return "No space left on device" in text or st.f_bavail * st.f_frsize < 1 << 20


def why_no_venv(text):
    if re.search(r"ensurepip is not available|No module named '?(ensurepip|venv)", text):
        version = "python%d.%d" % sys.version_info[:2]
        return Refused("%s cannot make virtual environments: its ensurepip is not there" % version,
                       "apt install %s-venv (Debian and Ubuntu keep it apart)" % version)
    return Refused("%s -m venv failed: %s" % (sys.executable, last_lines(text)))


def why_no_pip(text):
    if "DO NOT MATCH THE HASHES" in text:
        rest = text.partition("DO NOT MATCH THE HASHES")[2]
        m = re.search(r"\n\s+(\S+)[^\n]* from [^\n]*:\n\s+Expected sha256 (\w+)(?:.|\n)*?Got\s+(\w+)", rest)
        if m:
            return Refused("%s is not what was locked: its sha256 is %.12s..., and the file has %.12s..." %
                           (m.group(1), m.group(3), m.group(2)), "lock it anew if that is meant")
    m = re.search(r"Hashes are required in --require-hashes mode[^\n]*\n\s+(\S+)", text)
    if m:
        return Refused("%s has no hash, and others have one" % m.group(1).partition(" ")[0], "either all have or none")
    missing = re.search(r"No matching distribution found for ([^\n]+?)(?: \(from [^\n]*\))?\n", text + "\n")
    if re.search(r"Failed to establish a new connection|Temporary failure in name resolution|NewConnectionError|Max retries exceeded|Could not fetch URL|"
                 r"Network is unreachable|Name or service not known|ProxyError|ConnectTimeout", text):
        return Refused("%s cannot be fetched: the package index cannot be reached" %
                       (missing.group(1) if missing else "a package"), "is there a network?")
    if missing:
        had = re.search(r"\(from versions: ([^)]*)\)", text)
        had = had and had.group(1) != "none" and [v.strip() for v in had.group(1).split(",")][-8:]
        return Refused("there is no %s for Python %d.%d" % ((missing.group(1),) + sys.version_info[:2]),
                       "there are: %s" % ", ".join(had) if had else "is its name written right?")
    m = re.search(r"ERROR: Cannot install ([^\n]*?) because these package versions have conflicting", text)
    if m:
        return Refused("%s do not go together" % m.group(1))
    return Refused("pip failed: %s" % (last_lines(text) or "it said nothing"))


def read_options(path, cwd, out, seen):
    """Where a requirements file says that packages come from, for who makes the same elsewhere."""
    if path in seen:
        return
    seen.add(path)
    for line in read(path).replace("\\\n", " ").split("\n"):
        word, _, value = line.strip().partition("=" if re.match(r"^--[a-z-]+=", line.strip()) else " ")
        value = value.strip().strip("\"'")
        if word in ("-r", "--requirement") and os.path.exists(os.path.join(os.path.dirname(path), value)):
            read_options(os.path.join(os.path.dirname(path), value), cwd, out, seen)
        elif word in ("-f", "--find-links") and "://" not in value:
            out.append("--find-links " + os.path.join(cwd, value))
        elif word in ("-f", "--find-links", "-i", "--index-url", "--extra-index-url", "--no-index", "--pre",
                      "--only-binary", "--no-binary", "--trusted-host"):
            out.append(line.strip())


def movable(venv):
    """Its programs find their Python beside them: the folder is renamed, and seen elsewhere by tasks with a root."""
    folder = os.path.join(venv, "bin")
    python = re.compile((r"^#!(/bin/sh\n'''exec' \"?)?" + re.escape(folder) + r"/(python[0-9.]*)(?:\"? \"\$0\" \"\$@\"\n' ''')?[^\n]*\n").encode())
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.islink(path) or not os.path.isfile(path):
            continue
        with io.open(path, "rb") as f:
            data = f.read()
        m = python.match(data)
        if m:
            head = b"#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")/" + m.group(2) + b"\" \"$0\" \"$@\"\n' '''\n"
            data = head + data[m.end():]
        elif not name.lower().startswith("activate"):
            continue
        data = data.replace(venv.encode(), venv.replace(".new/venv", "/venv").encode())
        with io.open(path, "wb") as f:
            f.write(data)


def build(q):
    venv = os.path.join(q["dir"], "venv")
    python = os.path.join(venv, "bin", "python")
    status, text = call(q, [sys.executable, "-m", "venv", venv])
    if status:
        raise FULL if is_full(q, text) else why_no_venv(text)
    argv, file = [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"], q["file"]
    if q["form"] != "requirements":
        status, text = call(q, [python, os.path.abspath(__file__), "lines", q["request"]])
        answer = json.loads(read(os.path.join(q["dir"], "answer.json")))
        if answer.get("error"):
            raise Refused(answer["error"], answer.get("hint", ""))
        file = os.path.join(q["dir"], "requirements.txt")
        argv += ["--no-deps"] if answer["alone"] else []
    options = []
    read_options(file, q["cwd"], options, set())
    if options:
        write(os.path.join(venv, "leat-options.txt"), "".join(line + "\n" for line in options))
    if "--hash" in read(file):
        argv.append("--require-hashes")
    status, text = call(q, argv + ["-r", file], cwd=q["cwd"])
    if status:
        raise FULL if is_full(q, text) else why_no_pip(text)
    movable(venv)
    out = subprocess.check_output([python, os.path.abspath(__file__), "freeze"], cwd="/")
    os.sync()
    return {"packages": json.loads(out.decode())["packages"], "version": about()["version"]}


def main(argv):
    what = argv[1]
    sys.path[:] = [p for p in sys.path if p and p != os.path.dirname(os.path.abspath(argv[0]))]
    if what in ("about", "freeze"):
        sys.stdout.write(json.dumps({"about": about, "freeze": freeze}[what]()) + "\n")
        return
    q = json.loads(read(argv[2]))
    file = os.path.join(q["dir"], "answer.json")
    write(file, " " * ROOM)
    try:
        answer = {"build": build, "lines": lines}[what](q)
    except Refused as e:
        answer = {"error": str(e), "hint": e.hint}
    except OSError as e:
        answer = {"error": "the disk is full" if e.errno == 28 else str(e), "hint": ""}
    with io.open(file, "r+", encoding="utf-8") as f:
        f.write(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv)
