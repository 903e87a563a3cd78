"""Scripts of customers: who they are, what they do and when, in TOML; and the player who lets them do it.

::

    seed = 7

    [people.anna]                     # only what differs: the rest is drawn from the seed
    name = "Anna Beispiel"

    [[act]]
    at = 0.5                          # seconds from the beginning
    who = "anna"
    on = "whatsapp"
    text = "Where is my parcel?"      # does = "say" where nothing else is said
    called = "question"

    [[act]]
    at = 3
    who = "anna"
    on = "whatsapp"
    does = "unsend"
    about = "question"
"""

import random
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from deploy.sandbox.acts import Act, ScriptWrong, Stage
from deploy.sandbox.names import ANNA, ROSA, TARO, Subject, draw_subjects
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.world import Platform

KNOWN = {"anna": ANNA, "rosa": ROSA, "taro": TARO}
"""People whom every script knows."""


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person of a script; what is not given is drawn."""

    name: str | None = None
    phone: str | None = None
    bsuid: str | None = None
    line_user: str | None = None
    username: str | None = None
    hides_phone: bool = False
    """WhatsApp withholds the number."""


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A script, read and checked."""

    act: list[Act] = []
    people: dict[str, Figure] = {}
    seed: int = 0
    speed: Annotated[float, Meta(gt=0)] = 1.0
    """How many times faster than its times it is played."""

    def cast(self) -> dict[str, Subject]:
        """Give everybody by name; the same seed gives the same people."""
        drawn = draw_subjects(len(self.people), random.Random(self.seed))  # noqa: S311  invented people
        cast = dict(KNOWN)
        for (name, figure), spare in zip(sorted(self.people.items()), drawn, strict=True):
            cast[name] = Subject(
                figure.name or name.title(),
                None if figure.hides_phone else figure.phone or spare.phone,
                figure.bsuid or spare.bsuid,
                figure.line_user or spare.line_user,
                figure.username,
            )
        return cast


def read_script(file: Path) -> Script:
    """Read a script; ``ScriptWrong`` says where it is wrong."""
    return parse_script(file.read_text("utf-8"))


def parse_script(text: str) -> Script:
    """Read a script from its text."""
    try:
        script = msgspec.convert(tomllib.loads(text), Script)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ScriptWrong(str(error)) from None
    cast = script.cast()
    strangers = {act.who for act in script.act} - cast.keys()
    if strangers:
        raise ScriptWrong(f"nobody is called {', '.join(sorted(strangers))}")
    return script


async def play(sandbox: Sandbox, script: Script) -> list[str]:
    """Play a script on the sandbox's clock; give the id of each act's message, in the order of the acts' times."""
    stage = Stage(sandbox, script.cast())
    began = sandbox.clock.elapsed()
    ids = []
    for act in sorted(script.act, key=lambda act: act.at):
        wait = began + act.at / script.speed - sandbox.clock.elapsed()
        if wait > 0:
            await sandbox.clock.sleep(wait)
        ids.append(stage.perform(act))
    return ids


def crowd(count: int, seconds: float, *, seed: int = 0, platforms: Iterable[Platform] = ("whatsapp", "line")) -> Script:
    """Write a script of ``count`` people who each say something within ``seconds``; some take it back or edit it."""
    chance, channels = random.Random(seed), list(platforms)  # noqa: S311  invented people
    acts = []
    for number in range(count):
        who, on = f"guest{number:06d}", channels[number % len(channels)]
        at = chance.uniform(0, seconds)
        acts.append(Act(who, on, at=at, text=f"Where is my parcel? ({number})", called=who))
        if chance.random() < 0.05:
            acts.append(Act(who, on, "unsend", at=at + chance.uniform(0, seconds), about=who))
        elif on == "whatsapp" and chance.random() < 0.05:
            acts.append(Act(who, on, "edit", at=at + chance.uniform(0, seconds), about=who, text="Never mind."))
    return Script(acts, {act.who: Figure() for act in acts}, seed)
