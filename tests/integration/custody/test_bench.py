"""The bench of custody runs and finds its numbers; what they are is measured in quiet, not here."""

import json
import subprocess
import sys
from pathlib import Path

from deploy.bench.custody_load import Window, summary
from deploy.bench.laden import Carried

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
    assert {"seal_ratio", "unreadable_scale_ratio", "gone_scale_ratio", "ingest_under_load_ratio"} <= found.keys()
    assert found["samples"] == 3
    samples = found["load_samples"]
    assert samples["alone"] == samples["loaded"] <= 3
    assert samples["loaded"] + samples["late"] >= 3
    assert found["lost"] == found["refused"] == 0
    assert "at most" in done.stdout
    assert "at least" in done.stdout


def carried(seconds, expired=100, rewrapped=100, messages=1_000):
    """Give a window in which a portion was carried."""
    return Window(messages, seconds, seconds, Carried(expired, rewrapped))


def test_a_loaded_window_counts_only_where_the_pace_was_kept():
    assert carried(0.5).kept_pace
    assert not carried(0.51).kept_pace
    assert not carried(0.5, expired=99).kept_pace
    assert not carried(0.5, rewrapped=99).kept_pace
    assert not Window(1_000, 0.5, 0.5).kept_pace


def test_the_ratio_is_of_medians_of_pairs_whose_load_kept_its_pace():
    alone = [Window(messages, 0.5, 0.4) for messages in (900, 1_000, 5_000)]
    loaded = [carried(0.5, messages=messages) for messages in (100, 850, 900)]
    late = [Window(9_000, 0.5, 0.5), carried(1.0, messages=100)]
    windows = [window for pair in zip(alone, loaded, strict=True) for window in pair]
    found = summary([*late, *windows, *late])
    assert found["ingest_under_load_ratio"] == 0.85
    assert found["load_samples"] == {"alone": 3, "loaded": 3, "late": 2}
    assert found["ingest_per_s"]["alone"][1] == 2_000
    assert found["load_per_s"] == {"expired": [200, 200, 200], "rewrapped": [200, 200, 200]}
    assert found["core_us"]["alone"] == round(1.2e6 / 6_900, 1)


def test_where_no_load_kept_its_pace_all_pairs_are_told_of_and_none_counts():
    found = summary([Window(1_000, 0.5, 0.4), carried(1.0, messages=1_000)])
    assert found["ingest_under_load_ratio"] == 0.5
    assert found["load_samples"] == {"alone": 0, "loaded": 0, "late": 1}
