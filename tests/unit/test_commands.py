"""The console command: programs are found, not imported; every failure is one line with a next step and a status."""

import subprocess
import sys
import types
from importlib import metadata

import click
import pytest
from click.testing import CliRunner, Result

from shared import commands, errors
from tests.support.house import ROOT

SECRET = "Mirabel Fonteyn, +44 7700 900123"


@click.group()
def program():
    """Stand for a program's commands."""


@program.command()
@click.argument("what")
def fail(what):
    """Fail as asked."""
    if what == "foreign":
        raise ValueError(SECRET)
    raise getattr(errors, what)(port=8080)


@pytest.fixture
def run(monkeypatch):
    """Give a function that runs ``homeport`` with one program registered: the group above, and a broken one."""
    module = types.ModuleType("invented_program")
    module.program, module.broken = program, "no command"
    monkeypatch.setitem(sys.modules, "invented_program", module)
    points = [
        metadata.EntryPoint("invented", "invented_program:program", commands.ENTRY_POINTS),
        metadata.EntryPoint("broken", "invented_program:broken", commands.ENTRY_POINTS),
        metadata.EntryPoint("absent", "invented_program:absent", commands.ENTRY_POINTS),
    ]
    monkeypatch.setattr(metadata, "entry_points", lambda group: metadata.EntryPoints(points).select(group=group))

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(commands.homeport, arguments)

    return call


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.SettingsInvalid, 2),
        (errors.BodyMalformed, 2),
        (errors.QueueFull, 1),
        (errors.PlatformUnavailable, 1),
        (errors.SealBroken, 1),
    ],
)
def test_an_error_is_code_sentence_and_remedy(run, error, status):
    """The person reads what happened and what to do; the script reads the status."""
    answer = run("invented", "fail", error.__name__)
    assert answer.exit_code == status
    assert answer.stdout == ""
    assert answer.stderr == f"homeport: {error.code}: {error(port=8080)}\n"
    assert error.remedy in answer.stderr


def test_a_foreign_exception_shows_its_class_and_withholds_its_text(run):
    """Its text may be what a person wrote."""
    answer = run("invented", "fail", "foreign")
    assert answer.exit_code == 1
    assert "ValueError" in answer.stderr
    assert "shared/commands.py:" in answer.stderr
    assert SECRET not in answer.output + answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("name", ["broken", "absent"])
def test_a_broken_program_is_one_line(run, name):
    """Whatever a program does at import, there is no traceback."""
    answer = run(name)
    assert answer.exit_code == 1
    assert answer.stderr.startswith("homeport: ")
    assert answer.stderr.count("\n") == 1


def test_an_unknown_command_is_a_usage_error(run):
    """Click's own refusals keep their form."""
    answer = run("nobody")
    assert answer.exit_code == 2
    assert "No such command 'nobody'" in answer.stderr


def test_the_root_imports_no_program():
    """Importing the console command loads neither program; a node starts without the control plane."""
    program = "import sys, shared.commands; print([n for n in sys.modules if n.startswith(('edge_', 'control_'))])"
    seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert seen.stdout.strip() == "[]"
