"""Scripts of customers: what they may say, that a seed repeats them, and that they are played as written."""

import asyncio
import json

import pytest

from deploy.sandbox.acts import ScriptWrong
from deploy.sandbox.client import OrderRefused
from deploy.sandbox.contract import Contract
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.scripts import crowd, parse_script, play
from tests.support.house import ROOT
from tests.support.sandbox import sandbox_process

STORY = """
seed = 7
speed = 1000

[people.ben]
name = "Ben Muster"
hides_phone = true

[[act]]
at = 60
who = "ben"
on = "whatsapp"
does = "unsend"
about = "question"

[[act]]
who = "ben"
on = "whatsapp"
text = "Where is my parcel?"
called = "question"

[[act]]
at = 10
who = "taro"
on = "line"
does = "sticker"
"""


def test_a_story_is_played_in_the_order_of_its_times(client, arrived):
    said, stuck, recall = client.script(STORY)
    assert client.idle()
    values = arrived.values
    assert [message["type"] for value in values for message in value["messages"]] == ["text", "revoke"]
    assert values[1]["messages"][0]["revoke"]["original_message_id"] == said != recall
    assert "wa_id" not in values[0]["contacts"][0]
    assert arrived.events[0]["message"]["id"] == stuck


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("act = 5", "array"),
        ('[[act]]\nwho = "nobody"\non = "line"', "nobody is called nobody"),
        ('[[act]]\nwho = "anna"\non = "telegram"', "telegram"),
        ('[[act]]\nwho = "anna"\non = "line"\nsays = "x"', "says"),
        ("speed = 0", "speed"),
        ("[[act", "array"),
    ],
)
def test_a_wrong_script_says_what_is_wrong(script, what):
    with pytest.raises(ScriptWrong, match=what):
        parse_script(script)


@pytest.mark.parametrize(
    ("act", "what"),
    [
        ({"does": "unsend", "about": "never said"}, "never said"),
        ({"does": "tap"}, "tap"),
        ({"account": "1"}, "not there"),
    ],
)
def test_an_act_that_cannot_be_done_is_refused(client, act, what):
    with pytest.raises(OrderRefused, match=what):
        client.act("anna", "whatsapp", **act)


def test_a_seed_gives_the_same_people_ids_and_files_again():
    def bodies(seed):
        async def inside():
            sandbox = Sandbox(seed=seed, contract=Contract(None))
            sandbox.world.numbers[0].callbacks["application"] = "http://127.0.0.1:1/"
            ids = await play(sandbox, parse_script(STORY))
            files = [kept.data for kept in sandbox.world.kept.values()]
            await sandbox.courier.close()
            return ids, files

        return asyncio.run(inside())

    assert bodies(3) == bodies(3) != bodies(4)


def test_a_crowd_is_as_large_as_asked_and_the_same_for_a_seed():
    first, again, other = crowd(40, 2.0, seed=1), crowd(40, 2.0, seed=1), crowd(40, 2.0, seed=2)
    assert first == again != other
    assert (
        len(first.people) == len({person.bsuid for name, person in first.cast().items() if name in first.people}) == 40
    )
    assert {act.on for act in first.act} == {"whatsapp", "line"}
    assert len(first.act) > 40


def test_a_crowd_is_played(client, arrived):
    script = crowd(30, 0.2, seed=5)
    lines = ["seed = 5", *(f"[people.{name}]" for name in script.people)]
    for act in script.act:
        said = {"who": act.who, "on": act.on, "does": act.does, "at": act.at, "text": act.text}
        named = {"called": act.called, "about": act.about}
        lines += ["[[act]]", *(f"{name} = {json.dumps(value)}" for name, value in (said | named).items())]
    assert len(client.script("\n".join(lines))) == len(script.act)
    assert client.idle()
    messages = [message for value in arrived.values for message in value["messages"]]
    assert len(arrived.events) + len(messages) == len(script.act)


def test_the_readme_shows_a_script_that_works():
    readme = (ROOT / "deploy/sandbox/README.md").read_text()
    (script,) = [block.partition("```")[0] for block in readme.split("```toml\n")[1:]]
    assert len(parse_script(script).act) > 1


def test_a_process_plays_the_script_it_is_given(tmp_path):
    (tmp_path / "story.toml").write_text(STORY)
    with sandbox_process("--script", str(tmp_path / "story.toml"), "--no-openapi") as running:
        assert running.client.idle()
        state = running.client.state()
        assert (state["said"], state["openapi"]) == (2, "off")
