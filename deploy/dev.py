#!/usr/bin/env python3
"""The one developer tool: makes the environment and runs everything that is run by hand.

It needs nothing but Python 3.11 or later, and git.  Everything else comes from the lock files in
``deploy/requirements`` (exact versions, each with its hashes; no index addresses: pip's own configuration decides where
packages come from) into ``.venv``.  What is in place already is not done again, so a second run starts at once.
"""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import time
from collections import deque

if sys.version_info >= (3, 11):
    from pathlib import Path
    from typing import NoReturn
else:  # said here, in words every Python 3 can read, before anything newer is used
    sys.exit(
        "dev: Homeport needs Python 3.11 or later; this is %d.%d (%s).\nNext: run it with a newer one, for example:  "
        "python3.12 deploy/dev.py" % (sys.version_info[0], sys.version_info[1], sys.executable)
    )

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCKS = ROOT / "deploy" / "requirements"
UV = "uv==0.13.9"

USAGE = """usage: python3 deploy/dev.py COMMAND [ARGUMENTS]

  demo   [--serve ...]      show two regions at work, from the first key to the last receipt, and a byte scan of it all
  test   [--long] [ARGS]    check, then every test, two at a time; with ARGS only pytest with these
                            (--long adds the tests that take minutes: kill -9 at 200 moments, soak)
  check  [--fix]            ruff (rules and format) and mypy --strict; --fix mends what a tool can mend
  bench  NAME [ARGS]        measure: custody, ingest, policy or profile (--json: last line is an object)
  up     [ARGS]             run a node on this machine, its folder is var/dev (ARGS go to: homeport edge run)
  setup  [LOCK ...]         make .venv and install (runtime, test or bench; without LOCK: test)
  lock   [--upgrade]        resolve deploy/requirements/*.txt anew from pyproject.toml
"""


def main(arguments: list[str]) -> int:
    """Run the command that ``arguments`` name; give the exit status (2: called wrongly)."""
    commands = {"demo": demo, "test": test, "check": check, "bench": bench, "up": up, "setup": setup, "lock": lock}
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(USAGE, end="")
        return 0 if arguments else 2
    name, *rest = arguments
    if name not in commands:
        print(f"dev: there is no command {name!r}\n\n{USAGE}", end="", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    return commands[name](rest)


def demo(arguments: list[str]) -> int:
    """Run the demo; all arguments are its own."""
    install("runtime")
    become([python(), "-m", "deploy.demo", *arguments])


def test(arguments: list[str]) -> int:
    """Check and run every test, or only what ``arguments`` name."""
    install("test")
    environment = {"HOMEPORT_LONG": "1"} if "--long" in arguments else {}
    chosen = [argument for argument in arguments if argument != "--long"]
    if chosen:
        return run([python(), "-m", "pytest", *chosen], environment)
    checked = check([])
    tested = run([python(), "-m", "pytest", "-n", "2", "--dist", "loadfile"], environment)
    if checked and not tested:
        say("the tests passed, but the check above did not")
    return checked or tested


def check(arguments: list[str]) -> int:
    """Run ruff and mypy; all three say what they found before this fails."""
    install("test")
    if arguments not in ([], ["--fix"]):
        fail(f"check takes --fix or nothing, not {' '.join(arguments)}", "python3 deploy/dev.py --help", status=2)
    if arguments:
        run([python(), "-m", "ruff", "check", "--quiet", "--fix", "."])
        run([python(), "-m", "ruff", "format", "--quiet", "."])
    statuses = [
        run([python(), "-m", "ruff", "check", "."]),
        run([python(), "-m", "ruff", "format", "--check", "."]),
        run([python(), "-m", "mypy"]),
    ]
    return int(any(statuses))


def bench(arguments: list[str]) -> int:
    """Run one bench."""
    found = ["custody", "ingest", "policy", "profile"]
    if not arguments or arguments[0] not in found:
        fail("bench wants a NAME", f"python3 deploy/dev.py bench NAME, one of: {', '.join(found)}", status=2)
    install("test")
    install("bench")
    become([python(), "-m", "deploy.bench", *arguments])


def up(arguments: list[str]) -> int:
    """Run a node whose settings and stores lie in ``var/dev``."""
    install("runtime")
    folder = ROOT / "var" / "dev"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    homeport = str(VENV / "bin" / "homeport")
    environment = {"HOMEPORT_EDGE_CONFIG": str(folder / "node.toml")}
    if not (folder / "data").exists():
        status = run([homeport, "edge", "init", "--region", "home"], environment)
        if status:
            return status
    environment["HOMEPORT_EDGE_LOG_FORM"] = os.environ.get("HOMEPORT_EDGE_LOG_FORM", "console")
    say(f"the node's settings and stores are in {folder.relative_to(ROOT)}; Ctrl-C stops it")
    become([homeport, "edge", "run", *arguments], environment)


def setup(arguments: list[str]) -> int:
    """Make the environment and install the named locks."""
    for lock_name in arguments or ["test"]:
        if not (LOCKS / f"{lock_name}.txt").exists():
            fail(f"there is no lock {lock_name!r}", "python3 deploy/dev.py setup runtime|test|bench", status=2)
        install(lock_name)
    say(f"ready: {VENV.relative_to(ROOT)}/bin/homeport --help")
    return 0


def lock(arguments: list[str]) -> int:
    """Resolve the lock files anew, for Python 3.11 and later on every platform, with hashes."""
    install("test") if (LOCKS / "test.txt").exists() else make_environment()
    if run([python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV]):
        fail("uv could not be installed", "look at pip's words above; pip config list shows its index")
    LOCKS.mkdir(exist_ok=True)
    settings = index_settings()
    groups = {"runtime": ["build"], "test": ["test"], "bench": ["bench"]}
    for name, wanted in groups.items():
        command = [python(), "-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
        command += ["--no-emit-index-url", "--no-emit-find-links", "--python-version", "3.11", "--no-config"]
        command += [part for group in wanted for part in ("--group", group)]
        command += ["--constraint", str(LOCKS / "runtime.txt")] if name != "runtime" else []
        command += ["--constraint", str(LOCKS / "test.txt")] if name == "bench" else []
        command += ["pyproject.toml", "--output-file", str(LOCKS / f"{name}.txt"), *arguments]
        if run(command, settings):
            fail(f"{name} could not be resolved", "look at uv's words above, then at pyproject.toml")
        strip_places(LOCKS / f"{name}.txt")
        say(f"{name}: {len(pins(LOCKS / f'{name}.txt'))} packages")
    return 0


def index_settings() -> dict[str, str]:
    """Translate pip's configuration of index and certificate for uv, which does not read it."""
    words = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}
    listed = subprocess.run([python(), "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    settings = {"UV_CUSTOM_COMPILE_COMMAND": "python3 deploy/dev.py lock"}
    for name, value in re.findall(r"^\S+?\.([a-z-]+)='(.*)'$", listed.stdout, re.MULTILINE):
        if name in words:
            settings[words[name]] = value
    return settings


def strip_places(file: Path) -> None:
    """Take index options and this machine's paths out of a lock file; hashes and versions are all it needs."""
    lines = file.read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(("--index", "--extra-index", "--find-links", "-i ")))
    file.write_text(text.replace(f"{ROOT}{os.sep}", ""))


def pins(file: Path) -> list[str]:
    """Give the ``name==version`` of every package in a lock file."""
    return re.findall(r"^([A-Za-z0-9._-]+==[^ ;\\\n]+)", file.read_text(), re.MULTILINE)


def install(name: str) -> None:
    """Install lock ``name`` and the project itself into ``.venv``, unless that is done already."""
    if is_installed(name) or (name == "runtime" and is_installed("test")):  # the latter holds the former whole
        return
    make_environment()
    file = LOCKS / f"{name}.txt"
    count = len(pins(file))
    say(f"installing {count} packages from {file.relative_to(ROOT)}; the first time this takes a minute or two")
    started = time.monotonic()
    pip(["--require-hashes", "--requirement", str(file)], count)
    pip(["--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT)], 1)
    (VENV / f"homeport-{name}.stamp").write_text(fingerprint(file))
    say(f"installed in {time.monotonic() - started:.0f} s")


def is_installed(name: str) -> bool:
    """Say whether ``.venv`` holds lock ``name`` as it is now."""
    stamp = VENV / f"homeport-{name}.stamp"
    made = Path(python()).exists() and stamp.exists()
    return made and stamp.read_text() == fingerprint(LOCKS / f"{name}.txt")


def fingerprint(file: Path) -> str:
    """Give a digest of all that an installation depends on: lock, project, Python and place."""
    parts = [file.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode(), bytes(ROOT)]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def make_environment() -> None:
    """Make ``.venv`` where there is none, or where the one there is of another Python or another place."""
    of = VENV / "homeport-python.stamp"
    identity = f"{sys.version}\n{VENV}"
    if Path(python()).exists() and of.exists() and of.read_text() == identity:
        return
    missing = [module for module in ("venv", "ensurepip") if importlib.util.find_spec(module) is None]
    if missing:
        fail(
            f"this Python ({sys.executable}) comes without {' and '.join(missing)}",
            "install them (Debian and Ubuntu: apt-get install python3-venv), then run the same command again",
        )
    if VENV.exists() and any(VENV.iterdir()) and not (VENV / "pyvenv.cfg").exists():
        fail(f"{VENV} exists and is no virtual environment", "move it away, then run the same command again")
    say(f"making .venv with Python {sys.version.split()[0]}")
    if run([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        fail("the virtual environment could not be made", "look at the words above; is the disk full or read-only?")
    of.write_text(identity)


def pip(arguments: list[str], count: int) -> None:
    """Run ``pip install``; show one line of progress, and pip's own words only where it fails."""
    command = [python(), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    words: deque[str] = deque(maxlen=25)
    seen = 0
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        assert child.stdout is not None  # noqa: S101 - asked for just above
        for line in child.stdout:
            words.append(line)
            if line.startswith(("Collecting ", "Obtaining ")):
                seen += 1
                if sys.stdout.isatty():
                    print(f"\r\033[Kdev: {seen}/{count} {line.split()[1][:60]}", end="", flush=True)
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    if child.returncode:
        print("".join(words), file=sys.stderr)
        fail("pip could not install", "look at its words above; python3 -m pip config list shows its index and proxy")


def python() -> str:
    """Give the path of the environment's interpreter."""
    return str(VENV / "bin" / "python")


def _environment(extra: dict[str, str]) -> dict[str, str]:
    """Give this process's environment with ``.venv`` in front."""
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONHOME", "PYTHONPATH"}}
    return {**kept, "VIRTUAL_ENV": str(VENV), "PATH": path, **extra}


def run(command: list[str], extra: dict[str, str] | None = None) -> int:
    """Run a program to its end and give its status; Ctrl-C reaches it too, and it may still tidy up."""
    with subprocess.Popen(command, env=_environment(extra or {})) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue


def become(command: list[str], extra: dict[str, str] | None = None) -> NoReturn:
    """Turn this process into the program, so that signals reach it and nothing stands between."""
    sys.stdout.flush()
    os.execve(command[0], command, _environment(extra or {}))


def say(text: str) -> None:
    """Print one line of progress."""
    print(f"dev: {text}", flush=True)


def fail(what: str, next_step: str, *, status: int = 1) -> NoReturn:
    """End with what happened and what to do next."""
    print(f"dev: {what}\nNext: {next_step}", file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
