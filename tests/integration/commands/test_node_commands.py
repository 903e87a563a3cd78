"""A node's life by command: run, status, a webhook, restart, stop."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from deploy.sandbox.webhooks import LineChannel, line_body, line_text, sign_line
from edge_node.commands import edge
from shared.commands import Programs

ROOT = Path(__file__).resolve().parents[3]
HOMEPORT = Programs(name="homeport", commands={"edge": edge})
SECRET = "0123456789abcdef0123456789abcdef"
START_SECONDS_MAX = 30
RUN = "from edge_node.commands import edge; edge(prog_name='edge')"


def homeport(config, *words, typed="", expect=0):
    result = CliRunner().invoke(HOMEPORT, ["edge", *words, "--config", str(config)], input=typed)
    assert result.exit_code == expect, result.output
    return result.stdout


@pytest.fixture
def config(tmp_path):
    config = tmp_path / "node.toml"
    homeport(config, "init", "--region", "eu-test")
    ports = 'listen = "127.0.0.1:0"\nprivate_listen = "127.0.0.1:0"\n'
    config.write_text(ports + config.read_text())
    words = ["--channel", "line", "--scope", "1", "--bot-user-id", LineChannel().bot_user_id, "--secret-file", "-"]
    homeport(config, "account", "add", "shop", *words, typed=SECRET)
    return config


@pytest.fixture
def node(config):
    log = (config.parent / "log").open("wb")
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", RUN, "run", "--config", str(config)]
    with log, subprocess.Popen(words, cwd=ROOT, env=environ, stdout=log, stderr=log) as process:
        try:
            until_running(config, process)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(START_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()


def until_running(config, process):
    """Wait for the node to serve; its log says why where it does not."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        result = CliRunner().invoke(HOMEPORT, ["edge", "status", "--config", str(config)])
        if "running" in result.stdout:
            return
        time.sleep(0.1)
    pytest.fail((config.parent / "log").read_text())


def public_address(config):
    found = re.search(r"webhooks at\s+(\S+)", homeport(config, "status"))
    assert found is not None
    return f"http://{found[1]}/webhooks/line/shop"


def post(config, text, secret=SECRET):
    body = line_body(line_text(text))
    headers = {"x-line-signature": sign_line(secret.encode(), body), "content-type": "application/json"}
    return httpx.post(public_address(config), content=body, headers=headers, trust_env=False).status_code


def test_a_node_is_run_asked_changed_and_stopped(config, node):
    assert post(config, "hello") == 200
    assert post(config, "hello", secret="f" * 32) == 401
    assert re.search(r"generation\s+1", homeport(config, "status"))
    assert "generation 2" in homeport(config, "restart")
    assert post(config, "hello again") == 200
    assert "Stopped" in homeport(config, "stop")
    assert node.wait(START_SECONDS_MAX) == 0
    homeport(config, "status", expect=2)
