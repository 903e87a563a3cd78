"""The sandbox as a process of its own, on free ports, as the demo and a load run it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from deploy.sandbox.client import SandboxClient
from tests.support.house import ROOT

PATIENCE_S = 30


class SandboxProcess(NamedTuple):
    """A running sandbox."""

    platforms: str
    client: SandboxClient


@contextmanager
def sandbox_process(*words: str) -> Iterator[SandboxProcess]:
    """Run ``python -m deploy.sandbox``; a violation of the vendors' descriptions fails whoever leaves the block."""
    command = [sys.executable, "-m", "deploy.sandbox", "--port", "0", "--control-port", "0", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True)
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        client = SandboxClient(said["control"])
        yield SandboxProcess(said["platforms"], client)
        violations = client.violations()
        client.close()
        assert violations == []
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
