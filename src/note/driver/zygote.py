"""
The zygote, behind driver.py in one text (note_zygote): an interpreter that has imported what takes long, and forks one
for each unit. `how` says what they become: a notebook's interpreter (auto, ipython, python), one that calls a function
of its own (job: leat/_job.py; kernel: ipykernel), as src/note/python_warm.h tells.

What a fork costs is not the fork but the first touch of each page after it. So one is forked ahead, which has gone
through all of that with a cell that does nothing (rehearse), and waits for the next unit: it serves that one and no
other. Where none is ready the unit gets a fork as it is.
"""
import array
import ctypes  # noqa: F401 (children need it at once)
import fcntl
import random
import select
import socket
import time

IDLE_S = 600
QUIET_S = 0.05  # so long after a unit was given away, at the latest, the next fork is made ahead
REQUEST_MAX = 1 << 18
MARKER = "LEAT_TASK"
PR_SET_CHILD_SUBREAPER = 36


def threads():
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith("Threads:"):
                return int(line.split()[1])
    return 0


def stamp(modules):
    """Of what was imported as it lies on the disk: another one since means that this process is of yesterday."""
    out = []
    for name in modules:
        try:
            out.append(os.stat(sys.modules[name].__file__).st_mtime_ns)
        except (KeyError, AttributeError, TypeError, OSError):
            out.append(None)
    return out


# --- in the child ---

def mark(value):
    """What /proc/PID/environ shows is the memory that the process began with: whoever ends a task looks there."""
    with open("/proc/self/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    start, end = int(fields[47]), int(fields[48])
    block = ctypes.string_at(start, end - start)
    if b"\0%s=%s\0" % (MARKER.encode(), value.encode()) in b"\0" + block:
        return True  # of a zygote that is part of a task
    at = block.find(MARKER.encode() + b"=." )
    if at < 0:
        return False
    room = block.index(b"\0", at) - at
    text = ("%s=%s" % (MARKER, value)).encode()
    if len(text) > room:
        return False
    ctypes.memmove(start + at, text + b"\0" * (room - len(text)), room)
    return True


def enter(spaces):
    """The worker's view of the folders."""
    if not spaces:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for fd in spaces:
        if libc.setns(fd, 0):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(fd)


def rehearse(engine):
    """A cell that does nothing, told to nobody: what the first one would touch is touched."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    null = os.open("/dev/null", os.O_WRONLY)
    kept, flags = linecache.cache.copy(), getattr(engine, "flags", 0)
    link = Link(here.fileno())
    out, err = text_stream(link, null), text_stream(link, null)
    shown, sys.stdout, sys.stderr = (sys.stdout, sys.stderr), out, err
    there.send(b"a1")
    there.send(b'j{"run": "", "name": ""}')
    try:
        link.busy = True
        print(end="\n")
        engine.rehearse()
        link.send({"done": "ok"})
        link.busy = False
        as_json(link.receive())
    finally:
        sys.stdout, sys.stderr = shown
        out.detach().detach().close()
        err.detach().detach().close()
        linecache.cache.clear()
        linecache.cache.update(kept)
        if flags:
            engine.flags = flags
        for end in (here, there):
            end.close()
        os.close(null)


# How libraries of numbers are told how many threads they may have (a zygote gave them one: a fork takes no others).
WIDEN = (("openblas", ("openblas_set_num_threads", "openblas_set_num_threads64_", "scipy_openblas_set_num_threads",
                       "scipy_openblas_set_num_threads64_")),
         ("libmkl_rt", ("MKL_Set_Num_Threads",)), ("libblis", ("bli_thread_set_num_threads",)),
         ("libgomp", ("omp_set_num_threads",)), ("libiomp", ("omp_set_num_threads",)), ("libomp", ("omp_set_num_threads",)))


def widen():
    """As many as they would have taken in a process that was started for itself."""
    n = len(os.sched_getaffinity(0))
    if n == 1:
        return
    with open("/proc/self/maps") as f:
        paths = {line[line.index("/"):].rstrip("\n") for line in f if "/" in line}
    for path in paths:
        for name, setters in WIDEN:
            if name not in os.path.basename(path):
                continue
            try:
                lib = ctypes.CDLL(path)
            except OSError:  # another one of that name, since
                continue
            for setter in setters:
                if hasattr(lib, setter):
                    getattr(lib, setter)(n)
                    break


def call(function, argv):
    """A program of its own: its exit status is this process's."""
    status = 1
    try:
        status = function(argv)
    except SystemExit as e:
        status = e.code if isinstance(e.code, int) else 0 if e.code is None else 1
        if status == 1 and e.code != 1:
            print(e.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    leave({}, None, status or 0)


def job(argv):
    """leat/_job.py, as a program: python3 .../leat/_job.py FILE HOME NAME."""
    from leat import _job
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(argv[0])))
    return _job.main(*argv[1:4])


def kernel(argv):
    """python3 -m ipykernel_launcher ARGUMENT..."""
    from ipykernel.kernelapp import IPKernelApp
    del sys.path[0]  # the folder that this is in: the kernel puts it there itself
    os.environ.pop("JPY_PARENT_PID", None)  # that is no parent of this process; the stand-in's end ends it
    sys.argv = argv[1:]
    IPKernelApp.launch_instance(argv=argv[2:])
    return 0


CALLED = {"job": job, "kernel": kernel}
NEEDED = {"job": ["leat._job", "leat._data", "leat._frame"], "kernel": ["ipykernel.kernelapp", "ipykernel.ipkernel"]}


def become(request, fds, engine, how):
    """From here on it is the interpreter of one unit."""
    life, link, out, err = fds[0], fds[1], fds[2], fds[3]
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())  # when the worker is no more, nor is this
    fcntl.fcntl(life, getattr(fcntl, "F_SETSIG", 10), signal.SIGKILL)
    fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([life], [], [], 0)[0]:  # it went before that
        os._exit(1)
    null = os.open("/dev/null", os.O_RDONLY)
    for fd, to in ((null, 0), (out, 1), (err, 2)):
        os.dup2(fd, to, inheritable=True)
        os.close(fd)
    env = request["env"]
    if not mark(env.get(MARKER, "")):
        os._exit(1)
    enter(fds[4:])
    kept = os.environ.get("MPLBACKEND") if engine else None
    os.environ.clear()
    os.environ.update(env)
    if kept:
        os.environ.setdefault("MPLBACKEND", kept)
    time.tzset()
    os.chdir(request["cwd"])
    for path in reversed([p for p in env.get("PYTHONPATH", "").split(":") if p]):
        if path not in sys.path:
            sys.path.insert(1, path)
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(int.from_bytes(os.urandom(4), "little"))
        widen()
    gc.enable()
    if engine:
        serve(link, request["mode"], request["argv"], engine)
    # The worker lets it go on when it stands where it is to stand (its group of processes).
    if os.read(link, 1) != b"g":
        os._exit(1)
    os.close(link)
    call(CALLED[how], request["argv"])


def take(conn):
    """A request and its descriptors; ("", []): it only asked whether somebody listens."""
    data, extra, _, _ = conn.recvmsg(REQUEST_MAX, socket.CMSG_SPACE(8 * 4))
    fds = array.array("i")
    for _, _, part in extra:
        fds.frombytes(part[:len(part) - len(part) % fds.itemsize])
    return data, list(fds)


def wait_ahead(sock, engine, how):
    """Forked before anybody asked."""
    if engine:
        rehearse(engine)
    gc.collect()
    gc.freeze()
    data, fds = take(sock)
    sock.close()
    if data:
        become(json.loads(data.decode()), fds, engine, how)


# --- in the parent ---

class Zygote:
    def __init__(self, server, how, engine):
        self.server, self.how, self.engine = server, how, engine
        self.units = {}    # pid -> the connection that hears of its end
        self.ahead = None  # (pid, socket) of the one that waits
        self.retired = False
        self.forks_ahead = how != "kernel"

    def fork(self, work, *args):
        pid = os.fork()
        if pid:
            return pid
        try:
            os.setsid()
            self.server.close()
            for conn in self.units.values():
                conn.close()
            if self.ahead:
                self.ahead[1].close()
            work(*args)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    def retire(self):
        """It takes no more units, and stays for those that it has. Another can have its name."""
        if self.retired:
            return
        self.retired = True
        self.server.close()
        if self.ahead:
            self.ahead[1].close()

    def fork_ahead(self):
        if self.ahead or self.retired or not self.forks_ahead:
            return
        if threads() != 1:
            self.forks_ahead = False
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

        def work():
            ours.close()
            wait_ahead(theirs, self.engine, self.how)

        self.ahead = self.fork(work), ours
        theirs.close()

    def give_ahead(self, data, fds):
        """Its pid; 0: there is none."""
        if not self.ahead:
            return 0
        pid, sock = self.ahead
        self.ahead = None
        try:
            sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
        except OSError:
            pid = 0
        sock.close()
        return pid

    def serve(self, conn, data, fds):
        pid = self.give_ahead(data, fds)
        if not pid:
            def work():
                conn.close()
                become(json.loads(data.decode()), fds, self.engine, self.how)

            pid = self.fork(work)
        for fd in fds:
            os.close(fd)
        self.units[pid] = conn
        try:
            conn.send(json.dumps({"pid": pid}).encode())
        except OSError:
            pass

    def strangers(self):
        """What units have left running: it comes to us. None: that cannot be known."""
        try:
            with open("/proc/self/task/%d/children" % os.getpid()) as f:
                known = set(self.units) | ({self.ahead[0]} if self.ahead else set())
                return set(map(int, f.read().split())) - known
        except (OSError, ValueError):
            return None

    def reap(self):
        """Whether a unit has ended."""
        ended = []
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if not pid:
                break
            if self.ahead and pid == self.ahead[0]:
                self.ahead[1].close()
                self.ahead = None
                self.forks_ahead = False  # it cannot be done here: no more are tried
            conn = self.units.pop(pid, None)
            if conn is not None:
                ended.append((conn, status, used))
        left = self.strangers() if ended else set()
        if not self.units:  # by their marker they are found by who ran the unit; without one only now
            for pid in left or ():
                os.kill(pid, signal.SIGKILL)
        for conn, status, used in ended:
            told = {"status": status, "cpu_ms": int((used.ru_utime + used.ru_stime) * 1000), "peak_kb": used.ru_maxrss,
                    "left": left != set() or not subreaps}
            try:
                conn.send(json.dumps(told).encode())
            except OSError:
                pass
            conn.close()
        return bool(ended)


subreaps = False


def prepare(how, modules):
    """What it forks has imported this: (names, engine)."""
    global subreaps
    loaded = []
    for module in NEEDED.get(how, []) + modules:
        try:
            __import__(module)
            loaded.append(module)
        except Exception:
            pass
    subreaps = ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    engine = None if how in CALLED else make_engine(Link(-1), how)
    return loaded + ["IPython"] * ("IPython" in sys.modules), engine


def zygote(name, owner, how, modules):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        server.bind("\0" + name)
    except OSError:
        return  # another was sooner
    loaded, engine = prepare(how, modules)
    if threads() != 1 or not set(NEEDED.get(how, ())) <= set(loaded):
        return
    made = stamp(loaded)
    gc.collect()
    gc.disable()
    gc.freeze()
    wake, wakes = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(wakes, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    life = os.pidfd_open(owner) if hasattr(os, "pidfd_open") else None
    server.listen(64)
    z = Zygote(server, how, engine)
    z.fork_ahead()
    used = time.monotonic()
    while z.units or (not z.retired and (time.monotonic() - used < IDLE_S or how == "kernel")):
        wait = QUIET_S if z.forks_ahead and not z.ahead and not z.retired else 60 if life else 5
        got = select.select([wake] + ([] if z.retired else [server, life or wake]), [], [], wait)[0]
        if (life in got) if life else not os.path.exists("/proc/%d" % owner):
            z.retire()  # units outlive who started them, as all tasks do
        if wake in got:
            os.read(wake, 4096)
            if z.reap():
                z.fork_ahead()
        if not got:
            z.fork_ahead()
        if z.units or got:
            used = time.monotonic()
        if server not in got or z.retired:
            continue
        conn = server.accept()[0]
        try:
            uid = int.from_bytes(conn.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[4:8], "little")
            conn.settimeout(5)
            data, fds = take(conn) if uid == os.geteuid() else (b"", [])  # nobody else is waited for
        except OSError:
            conn.close()
            continue
        if not data:
            conn.close()
            continue
        if len(fds) < 4 or threads() != 1 or stamp(loaded) != made:
            for fd in fds:
                os.close(fd)
            conn.close()
            z.retire()
            continue
        z.serve(conn, data, fds)


if __name__ == "__main__" and len(sys.argv) > 4 and sys.argv[1] == "zygote":
    zygote(sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5:])
    os._exit(0)
