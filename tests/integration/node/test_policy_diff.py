"""``homeport policy diff`` pointed at a running node: how many of its stored records a change of policy touches."""

import json
import os
import subprocess
from pathlib import Path

from deploy.sandbox.webhooks import line_body, line_image, line_text, whatsapp_body, whatsapp_text
from shared.policy.bundling import write
from tests.support.house_policy import bundle_of, open_policy, rule
from tests.support.node import HOMEPORT

OLD = bundle_of(open_policy())
NO_EU = rule("no-words", "deny", operations=("store", "view"), classes=("message_text",), subjects=("EU",))
NEW = bundle_of(open_policy([NO_EU]), OLD)
OTHER = bundle_of(open_policy([rule("no-words", "deny", classes=("message_text",), subjects=("JP",))]), OLD)


def ask(folder: Path, *words: str, expect: int = 0) -> str:
    """Run ``homeport policy ...`` as an officer at the node's machine does, without a terminal."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HOMEPORT_EDGE_")}
    done = subprocess.run([HOMEPORT, "policy", *words], cwd=folder, env=environ, capture_output=True, check=False)
    assert done.returncode == expect, (done.stdout + done.stderr).decode()
    return (done.stdout if expect == 0 else done.stderr).decode()


def test_a_running_node_says_what_a_change_touches(node, tmp_path):
    """Beside the node, which goes on; by settings file, or by counts that were carried elsewhere."""
    for name, bundle in (("old", OLD), ("new", NEW), ("other", OTHER)):
        (tmp_path / f"{name}.bundle").write_bytes(write(bundle))
    for number in range(3):
        assert node.post("line", line_body(line_text(f"word {number}"))).status_code == 200
    assert node.post("whatsapp", whatsapp_body(whatsapp_text("word"))).status_code == 200
    assert node.post("line", line_body(line_image())).status_code == 200
    config = ("--config", str(node.config))

    counts = node.command("policy", "holdings", "--json")
    held = json.loads(counts)
    by_law = {(each["class"], *each["subjects"]): each["records"] for each in held}
    assert (by_law["message_text", "EU"], by_law["media", "EU"]) == (4, 1)
    shown = " ".join(node.command("policy", "holdings").split())
    assert "message_text EU 4" in shown

    found = json.loads(ask(tmp_path, "diff", "old.bundle", "new.bundle", "--json", *config))
    touched = {(each["operation"], each["direction"]): each["records"] for each in found["touched"]}
    assert touched == {("store", "more_restrictive"): 4, ("view", "more_restrictive"): 4}
    assert found["held"] == sum(each["records"] for each in held)
    told = " ".join(ask(tmp_path, "diff", "old.bundle", "new.bundle", *config).split())
    assert "more restrictive store 4 message_text EU 4" in told
    assert "is restricted as soon as a node decides by the new policy" in told

    (tmp_path / "counts.json").write_text(counts)
    carried = json.loads(ask(tmp_path, "diff", "old.bundle", "new.bundle", "--json", "--holdings", "counts.json"))
    assert carried["touched"] == found["touched"]
    nothing = ask(tmp_path, "diff", "old.bundle", "other.bundle", "--holdings", "counts.json")
    assert "None: no answer changes about any of them." in nothing

    assert node.post("line", line_body(line_text("another"))).status_code == 200


def test_counts_that_are_none_are_refused(tmp_path):
    """By name of the option; a settings file that is not there, too."""
    for name, bundle in (("old", OLD), ("new", NEW)):
        (tmp_path / f"{name}.bundle").write_bytes(write(bundle))
    (tmp_path / "counts.json").write_text('[{"class": "media", "records": "many"}]')
    told = ask(tmp_path, "diff", "old.bundle", "new.bundle", "--holdings", "counts.json", expect=2)
    assert "homeport edge policy holdings --json" in " ".join(told.split())
    told = ask(tmp_path, "diff", "old.bundle", "new.bundle", "--config", "nowhere.toml", expect=2)
    assert "settings_invalid" in told
