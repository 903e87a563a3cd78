"""The demo as a process: it ends well, says so, is readable where there is no terminal, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.house import ROOT
from tests.support.node import until

VAR = ROOT / "var"
PATIENCE_S = 240.0
pytestmark = pytest.mark.xdist_group("demo")


def started(*words, **more):
    """Start the demo with nothing of this process's environment but where it finds programs and a home."""
    environ = {"HOME": os.environ["HOME"], "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "deploy.demo", *words]
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)


def folders():
    """Give the folders of demos."""
    return set(VAR.glob("demo-*")) if VAR.exists() else set()


def working_in(folder):
    """Give the processes that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            place = (process / "cwd").readlink()
        except OSError:
            continue
        if place.is_relative_to(folder):
            found.append(process.name)
    return found


def test_it_ends_well_and_leaves_nothing_behind():
    before = folders()
    demo = started()
    out, _ = demo.communicate(timeout=PATIENCE_S)
    text = out.decode()
    assert demo.returncode == 0, text[-4_000:]
    assert re.search(r"All [0-9]{2,} checks held", text)
    assert "FAILED" not in text
    assert [f"\n{number}  " in text for number in range(1, 9)] == [True] * 8
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    (folder,) = re.findall(r"^  folder   (\S+(?:\n {11}\S+)*)", text, re.MULTILINE)
    folder = Path(re.sub(r"\n {11}", "", folder))
    assert folder.parent == VAR
    assert not folder.exists()
    assert working_in(folder) == []
    assert folders() <= before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_cleans_up(number):
    before = folders()
    demo = started(start_new_session=True)
    try:
        (folder,) = until(lambda: folders() - before)
        until((folder / "control" / "data").exists)
        time.sleep(1)  # somewhere in the first chapter: any moment must do
        demo.send_signal(number)
        out, _ = demo.communicate(timeout=PATIENCE_S)
    finally:
        demo.kill()
    assert demo.returncode == 130, out.decode()[-2_000:]
    assert not folder.exists()
    assert working_in(folder) == []


def test_called_wrongly_it_says_so(tmp_path):
    (tmp_path / "something").touch()
    demo = started("--keep", str(tmp_path))
    out, _ = demo.communicate(timeout=PATIENCE_S)
    assert demo.returncode == 2
    assert "empty or new folder" in out.decode()
