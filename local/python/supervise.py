"""Runs a command and ends it, with everything it started, as soon as the parent is gone.

    supervise.py [--remove PATH]... -- COMMAND [ARGUMENT]...

Standard input is a pipe that only the parent holds open. However the parent ends (return, panic, Ctrl-C,
SIGKILL), the pipe closes; then this kills the command and its descendants and removes the paths. It must not
depend on anything but the standard library, because it also installs everything else.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
REMOVAL_ATTEMPTS = 20
LINUX = sys.platform == "linux"


def main(arguments):
    separator = arguments.index("--")
    removals = [path for flag, path in zip(arguments[:separator:2], arguments[1:separator:2]) if flag == "--remove"]
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # SIGTERM ends the command, and so this process.
    signal.signal(signal.SIGTERM, lambda *_: kill_group(command))
    adopt_orphans()
    if "TMPDIR" in os.environ:
        os.makedirs(os.environ["TMPDIR"], exist_ok=True)
    command = subprocess.Popen(
        arguments[separator + 1 :], stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=prepare_child
    )
    threading.Thread(target=watch_parent, args=(command, removals), daemon=True).start()
    code = command.wait()
    kill_group(command)
    kill_descendants()
    remove(removals)
    # The shell's convention for a command that a signal ended.
    return code if code >= 0 else 128 - code


def watch_parent(command, removals):
    """Blocks until the parent's end of the pipe closes, then ends the command."""
    while os.read(0, 4096):
        pass
    # First, so that nobody finds the address of a stack that is about to end.
    remove([path for path in removals if os.path.isfile(path)])
    kill_group(command)


def adopt_orphans():
    """Makes processes whose parent died children of this one, so that none escapes."""
    if LINUX:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def prepare_child():
    """Makes the command end if this process is killed, and restores its default signal handling."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if LINUX:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def kill_group(command):
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(command.pid, signal.SIGKILL)


def kill_descendants():
    """Kills adopted processes, and theirs as they are adopted in turn, until none is left."""
    while LINUX:
        for pid in children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


def children():
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as stat:
                # The name in parentheses may hold anything; after it come the state and the parent.
                parent = int(stat.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == os.getpid():
            yield int(entry)


def remove(paths):
    """Removes files and folders, repeatedly if necessary: a command that is ending may still write there."""
    for path in paths:
        for _ in range(REMOVAL_ATTEMPTS):
            if os.path.isdir(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(FileNotFoundError):
                    os.remove(path)
            if not os.path.lexists(path):
                break
            time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
