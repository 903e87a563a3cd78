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
        demo.terminate()
        demo.wait(PATIENCE_S)
    assert demo.returncode == 130, out.decode()[-2_000:]
    assert not folder.exists()
    assert working_in(folder) == []


def test_called_wrongly_it_says_so(tmp_path):
    (tmp_path / "something").touch()
    demo = started("--keep", str(tmp_path))
    out, _ = demo.communicate(timeout=PATIENCE_S)
    assert demo.returncode == 2
    assert "empty or new folder" in out.decode()


def test_serving_it_goes_on_until_it_is_stopped(tmp_path):
    screen, before = tmp_path / "screen", folders()
    environ = {"HOME": os.environ["HOME"], "PATH": os.environ["PATH"]}
    with screen.open("wb") as file:
        demo = subprocess.Popen(
            [sys.executable, "-m", "deploy.demo", "--serve"], cwd=ROOT, env=environ, stdout=file, stderr=file
        )
    try:
        until(lambda: "Rows are shown here" in screen.read_text() or demo.poll() is not None, PATIENCE_S)
        shown = screen.read_text()
        for line in ("\ncurl -s --noproxy '*' http://", "\nprintf U", ".venv/bin/homeport edge view"):
            (command,) = [each for each in shown.splitlines() if each.startswith(line.strip())][:1]
            done = subprocess.run(command, cwd=ROOT, shell=True, capture_output=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr.decode()
            assert done.stdout.strip()
        until(lambda: re.search(r"arrived  at eu: message [0-9]+, kind=text", screen.read_text()), PATIENCE_S)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(PATIENCE_S) == 0
    finally:
        demo.terminate()  # in vain where it has ended; it stops what it started
        demo.wait(PATIENCE_S)
    assert "its folder removed" in screen.read_text().replace("\n", " ")
    assert folders() <= before
