"""The bench of custody runs and finds its numbers; what they are is measured in quiet, not here."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_a_short_run_prints_a_table_and_one_json_line():
    done = subprocess.run(
        [sys.executable, "-m", "deploy.bench", "custody", "--short", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert {"seal_ratio", "unreadable_scale_ratio", "gone_scale_ratio"} <= found.keys()
    assert found["samples"] == 3
    assert "at most" in done.stdout
