"""The developer's tool: what it says to a beginner, and when it installs."""

import importlib.util
import re
import subprocess
import sys
from types import ModuleType

import pytest

from tests.support.house import ROOT

TOOL = ROOT / "deploy" / "dev.py"
LOCKS = ("runtime", "test", "bench")


@pytest.fixture
def dev(tmp_path, monkeypatch) -> ModuleType:
    """Give the tool as a module whose environment and lock files lie in a folder of the test."""
    spec = importlib.util.spec_from_file_location("dev_under_test", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "test.txt").write_text("a==1 \\\n    --hash=sha256:00\nb-c==2.0 ; python_version < '4' \\\n")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "LOCKS", tmp_path)
    return module


@pytest.fixture
def asked(dev, monkeypatch) -> list[list[str]]:
    """Record what would be installed, instead of installing it; the environment itself is a marker file."""
    record: list[list[str]] = []

    def make() -> None:
        (dev.VENV / "bin").mkdir(parents=True, exist_ok=True)
        (dev.VENV / "bin" / "python").touch()

    monkeypatch.setattr(dev, "make_environment", make)
    monkeypatch.setattr(dev, "pip", lambda arguments, _count: record.append(arguments))
    return record


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the tool as a person would."""
    return subprocess.run([sys.executable, TOOL, *arguments], capture_output=True, text=True, cwd="/", check=False)


def test_help_names_every_command():
    """``--help`` suffices: it is printed from anywhere, and lists what there is."""
    answer = call("--help")
    assert answer.returncode == 0
    for command in ("demo", "test", "check", "bench", "up", "setup", "lock"):
        assert re.search(rf"^  {command} ", answer.stdout, re.MULTILINE), command


def test_an_unknown_command_is_refused_with_the_help():
    """A slip costs one look."""
    answer = call("tset")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "'tset'" in answer.stderr
    assert "usage:" in answer.stderr


def test_an_older_python_can_read_its_own_refusal():
    """What stands before the version check is understood by every Python 3, and says what to do."""
    before, after = TOOL.read_text().split("else:  # said here", 1)
    refusal = after.split("\n\n", 1)[0]
    assert "3.11 or later" in refusal
    assert "Next:" in refusal
    assert 'f"' not in before + refusal
    assert ":=" not in before
    for line in re.findall(r"^(?:import|from) .*", before, re.MULTILINE):
        assert re.fullmatch(r"import [a-z.]+|from collections import deque", line), line


def test_only_the_standard_library_is_imported():
    """The tool runs before anything is installed."""
    names = re.findall(r"^\s*(?:import|from) ([a-z_]+)", TOOL.read_text(), re.MULTILINE)
    assert names
    assert set(names) <= set(sys.stdlib_module_names)


def test_an_installation_is_exact_and_done_once(dev, asked):
    """Hashes are required, the project comes last and without an index, and a second call does nothing."""
    dev.install("test")
    lock, project = asked
    assert lock == ["--require-hashes", "--requirement", str(dev.LOCKS / "test.txt")]
    assert {"--no-deps", "--no-index", "--no-build-isolation"} < set(project)
    dev.install("test")
    assert len(asked) == 2


def test_the_test_lock_holds_the_runtime_lock(dev, asked):
    """After ``test``, ``demo`` starts at once."""
    dev.install("test")
    dev.install("runtime")
    assert len(asked) == 2


@pytest.mark.parametrize("changed", ["test.txt", "pyproject.toml"])
def test_a_change_of_what_it_is_made_from_installs_again(dev, asked, changed):
    """A new lock or a new project file is taken up."""
    dev.install("test")
    (dev.ROOT / changed).write_text("c==3\n")
    dev.install("test")
    assert len(asked) == 4


def test_an_environment_that_was_removed_is_made_again(dev, asked):
    """The stamp alone proves nothing."""
    dev.install("test")
    (dev.VENV / "bin" / "python").unlink()
    dev.install("test")
    assert len(asked) == 4


def test_a_failed_installation_leaves_no_stamp(dev, asked, monkeypatch):
    """What broke half-way is tried again."""
    monkeypatch.setattr(dev, "pip", lambda *_: dev.fail("pip could not install", "look"))
    with pytest.raises(SystemExit):
        dev.install("test")
    assert not list(dev.VENV.glob("*.stamp"))


def test_a_python_without_venv_is_told_what_to_install(dev, monkeypatch, capsys):
    """Debian ships Python without ``ensurepip``."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name))
    with pytest.raises(SystemExit) as refused:
        dev.make_environment()
    said = capsys.readouterr().err
    assert refused.value.code == 1
    assert "ensurepip" in said
    assert "Next: " in said
    assert "python3-venv" in said


def test_a_folder_that_is_no_environment_is_left_alone(dev, capsys):
    """``.venv`` is cleared only where it is one."""
    dev.VENV.mkdir()
    (dev.VENV / "letter.txt").write_text("keep")
    with pytest.raises(SystemExit):
        dev.make_environment()
    assert (dev.VENV / "letter.txt").read_text() == "keep"
    assert "no virtual environment" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected", "long"),
    [
        ([], ["-n", "2", "--dist", "loadfile"], False),
        (["--long"], ["-n", "2", "--dist", "loadfile"], True),
        (["tests/unit", "-k", "tidy"], ["tests/unit", "-k", "tidy"], False),
        (["--long", "-x"], ["-x"], True),
    ],
)
def test_arguments_reach_pytest(dev, monkeypatch, arguments, expected, long):
    """Without arguments everything is checked and run; with some, only what they name."""
    ran: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(dev, "install", lambda _name: None)
    monkeypatch.setattr(dev, "check", lambda _arguments: ran.append((["check"], {})) or 0)
    monkeypatch.setattr(dev, "run", lambda command, extra: ran.append((command[1:], extra)) or 0)
    assert dev.test(arguments) == 0
    assert ran[-1] == (["-m", "pytest", *expected], {"HOMEPORT_LONG": "1"} if long else {})
    assert (ran[0][0] == ["check"]) is ("-n" in expected)


@pytest.mark.parametrize(("checked", "tested", "status"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (1, 3, 1), (0, 5, 5)])
def test_a_test_run_is_green_only_if_both_halves_are(dev, monkeypatch, checked, tested, status):
    """A failed check fails the run, and so does a run in which no test ran (pytest's 5)."""
    monkeypatch.setattr(dev, "install", lambda _name: None)
    monkeypatch.setattr(dev, "check", lambda _arguments: checked)
    monkeypatch.setattr(dev, "run", lambda *_: tested)
    assert dev.test([]) == status


def test_places_are_taken_out_of_a_lock(dev):
    """No index and no path of this machine stays."""
    lock = dev.LOCKS / "test.txt"
    lock.write_text(f"--index-url file:///x\n--find-links /y\na==1\n    # via -r {dev.ROOT}/pyproject.toml\n")
    dev.strip_places(lock)
    assert lock.read_text() == "a==1\n    # via -r pyproject.toml\n"
    assert dev.pins(lock) == ["a==1"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_of_a_lock_has_hashes_and_no_address(name):
    """A lock holds exact versions and hashes, and nothing that says where from."""
    text = (ROOT / "deploy" / "requirements" / f"{name}.txt").read_text()
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert blocks
    assert [block.splitlines()[0] for block in blocks if "==" not in block or "--hash=sha256:" not in block] == []
    assert re.search(r"://|^-[-if]|^\s*(?:--index|--extra|--find)", text, re.MULTILINE) is None


def test_the_test_lock_is_a_superset():
    """What a node needs is all in the lock that tests run with."""
    runtime, test = (
        set(re.findall(r"^\S+==\S+", (ROOT / "deploy" / "requirements" / name).read_text(), re.MULTILINE))
        for name in ("runtime.txt", "test.txt")
    )
    assert runtime
    assert runtime <= test


def test_the_locks_agree():
    """One environment can hold all three: what two of them name, they name alike."""
    versions: dict[str, set[str]] = {}
    for name in LOCKS:
        text = (ROOT / "deploy" / "requirements" / f"{name}.txt").read_text()
        pins: dict[str, set[str]] = {}
        for package, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE):
            pins.setdefault(package, set()).add(version)
        for package, found in pins.items():
            assert versions.setdefault(package, found) == found, package
