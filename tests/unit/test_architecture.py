"""Who may import whom, open connections, read time and chance; and that the pure parts are pure.

The table below is the architecture.  Every rule is run over the product's source, and over two invented modules: one
that breaks it and must be caught, one that has the right place and must not be.
"""

import re
from typing import NamedTuple

import pytest

from tests.support.house import PROGRAMS, sources, uses, within

PURE = (
    *("edge_node.core", "edge_node.channels", "control_plane.core"),
    *("shared.message", "shared.wire", "shared.roster", "shared.canonical", "shared.http_signatures"),
    *("shared.addresses", "shared.policy"),
)
LAYERS = (
    *("app", "app_media", "app_relay", "assembly", "commands", "http", "metrics", "platforms", "relay"),
    *("settings", "storage", "stores", "uplink", "usecases", "vouching"),
)
SHELL = tuple(f"edge_node.{layer}" for layer in LAYERS)
CONTROL_SHELL = tuple(
    f"control_plane.{layer}"
    for layer in ("app", "commands", "http", "metrics", "outgoing", "settings", "storage", "stores", "usecases")
)
CONNECTIONS = ("shared.process",)


class Rule(NamedTuple):
    """Modules in ``where``, those in ``but`` excepted, never name anything in ``never``."""

    sentence: str
    where: tuple[str, ...]
    never: tuple[str, ...]
    but: tuple[str, ...] = ()


RULES = (
    Rule("what both programs share knows neither", ("shared",), ("edge_node", "control_plane")),
    Rule("a node knows nothing of the control plane's inside", ("edge_node",), ("control_plane",)),
    Rule("the control plane knows nothing of a node's inside", ("control_plane",), ("edge_node",)),
    Rule("what is installed needs no tests and no developer's tools", PROGRAMS, ("tests", "deploy")),
    Rule(
        "decisions, channels and messages are pure: no await, socket, file, clock, chance, environment or logger",
        PURE,
        (
            *("<async def>", "<open>", "<print>", "<input>", "<__import__>", "<loop.time>"),
            *("asyncio", "threading", "concurrent", "multiprocessing", "subprocess", "signal", "contextvars"),
            *("socket", "ssl", "selectors", "http", "urllib.request", "httpx", "litestar", "uvicorn", "anyio"),
            *("os", "sys", "io", "pathlib", "tempfile", "shutil", "fcntl", "importlib", "ctypes"),
            *("time", "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today"),
            *("datetime.date.today", "random", "secrets", "uuid", "logging", "structlog", "warnings"),
            *("aiosqlite", "asyncpg", "sqlite3", "shared.database", "shared.telemetry"),
            *("shared.clock.SystemClock", "shared.entropy.SystemEntropy"),
        ),
        # What officers wrote, and the calendars and time zones of two pinned libraries, are read from files there; what
        # they mean is decided elsewhere.
        ("shared.policy.loading", "shared.policy.clocks.library"),
    ),
    Rule(
        "decisions know no layer above them",
        ("edge_node.core",),
        SHELL,
    ),
    Rule(
        "the control plane's decisions know no layer above them",
        ("control_plane.core",),
        CONTROL_SHELL,
    ),
    Rule(
        "a channel knows messages and nothing of a node",
        ("edge_node.channels",),
        ("edge_node.core", *SHELL),
    ),
    Rule("one package touches cryptography", PROGRAMS, ("cryptography", "rbcl"), ("shared.crypto",)),
    Rule(
        "one page signs and verifies requests; what the library leaves open is checked there",
        PROGRAMS,
        ("http_message_signatures", "http_sf"),
        ("shared.http_signatures",),
    ),
    Rule(
        "one page reads and writes private keys",
        PROGRAMS,
        ("shared.crypto.passphrase",),
        ("shared.key_files", "shared.crypto"),
    ),
    Rule(
        "four pages open connections: to the platforms, the control plane, other nodes, the company's own systems",
        PROGRAMS,
        ("httpx", "httpcore", "aiohttp", "requests", "http.client", "urllib.request", "websockets"),
        # What a node says to the control plane is the closed set of shared/wire, signed, and leaves on one page; what
        # it says to another node leaves on another, content sealed to that node alone.  The command line asks its own
        # node's desk from there, too, and nobody else.
        (
            *("edge_node.platforms", "edge_node.uplink.client", "edge_node.relay", "control_plane.outgoing"),
            "shared.checked_connections",  # no page of its own: what the last and the first connect through
        ),
    ),
    Rule(
        "one package opens databases",
        PROGRAMS,
        ("aiosqlite", "asyncpg", "sqlite3", "psycopg", "sqlalchemy"),
        ("shared.database",),
    ),
    Rule(
        "one package listens, and starts programs",
        PROGRAMS,
        (
            *("socket", "socketserver", "uvicorn", "subprocess", "multiprocessing", "os.fork", "os.execve", "os.execv"),
            *("asyncio.open_connection", "asyncio.open_unix_connection", "asyncio.start_server"),
            *("asyncio.start_unix_server", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
        ),
        CONNECTIONS,
    ),
    Rule(
        "one page reads the clock",
        PROGRAMS,
        (
            *("time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter"),
            *("time.perf_counter_ns", "time.clock_gettime", "time.localtime", "time.gmtime", "<loop.time>"),
            *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
        ),
        ("shared.clock",),
    ),
    Rule(
        "one page draws chance",
        PROGRAMS,
        ("random", "secrets", "uuid", "os.urandom", "os.getrandom", "numpy.random"),
        ("shared.entropy",),
    ),
    Rule(
        "the web framework stays at the door",
        PROGRAMS,
        ("litestar",),
        ("edge_node.http", "edge_node.app", "edge_node.app_relay", "control_plane.http", "control_plane.app"),
    ),
    Rule(
        "logs go through the allow-list; the other pages only hush the loggers of others",
        PROGRAMS,
        ("structlog", "logging"),
        ("shared.telemetry", "shared.database.sqlite", "edge_node.platforms.client", "shared.process.quiet"),
    ),
    Rule(
        "one use case destroys the keys of what was acknowledged",
        PROGRAMS,
        ("edge_node.storage.keys.destruction.destroy_rows",),
        ("edge_node.usecases.letting_go.removal", "edge_node.storage.keys.destruction"),
    ),
    Rule(
        "one use case destroys the keys of a person",
        PROGRAMS,
        ("edge_node.storage.keys.destruction.destroy_subject",),
        ("edge_node.usecases.letting_go.erasing", "edge_node.storage.keys.destruction"),
    ),
)

KEY_DELETIONS = re.compile(r"\b(?:DELETE\s+FROM|TRUNCATE|DROP\s+TABLE)\s+(?:row|bucket|owner)_key\b", re.IGNORECASE)
KEY_DELETIONS_IN = "edge_node.storage.keys.destruction"


def breaches(rule: Rule, modules: dict[str, str]) -> list[str]:
    """Give ``module:line names what`` for each use that ``rule`` forbids."""
    return [
        f"{module}:{line} names {name}"
        for module, text in modules.items()
        if within(module, rule.where) and not within(module, rule.but)
        for line, name in uses(module, text)
        if within(name, rule.never)
    ]


def statement(name: str) -> str:
    """Write a line of source that uses ``name``."""
    written = {
        "<async def>": "async def wait(): ...",
        "<loop.time>": "def when(loop): return loop.time()",
    }
    if name in written:
        return written[name]
    if name.startswith("<"):
        return f"{name.strip('<>')}('x')"
    base, _, last = name.rpartition(".")
    return f"from {base} import {last}" if base else f"import {name}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.sentence)
def test_the_product_keeps_the_rule(rule):
    """No module of the product does what the rule forbids."""
    found = breaches(rule, sources(*PROGRAMS))
    assert not found, f"{rule.sentence}:\n  " + "\n  ".join(found)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.sentence)
def test_the_rule_catches_each_breach(rule):
    """Every single thing that a rule forbids is caught in every place it holds for."""
    for place in rule.where:
        for name in rule.never:
            module = f"{place}.invented"
            assert breaches(rule, {module: statement(name)}), f"{name} in {place} was not caught"


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.but], ids=lambda rule: rule.sentence)
def test_the_rule_leaves_the_right_place_alone(rule):
    """Where a rule names the place for a thing, it may be used there."""
    for place in rule.but:
        for name in rule.never:
            assert not breaches(rule, {place: statement(name), f"{place}.page": statement(name)})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import datetime as d\nx = d.datetime.now()", "datetime.datetime.now"),
        ("from datetime import datetime as moment\nx = moment.now(tz)", "datetime.datetime.now"),
        ("import os\nkey = os.urandom(16)", "os.urandom"),
        ("from os import urandom as draw\nkey = draw(16)", "os.urandom"),
        ("import time\ndef f():\n    return [time.monotonic() for _ in 'ab']", "time.monotonic"),
        ("def f():\n    import httpx", "httpx"),
        ("if TYPE_CHECKING:\n    from control_plane.core import cases", "control_plane.core.cases"),
        ("import edge_node.storage.keys", "edge_node.storage.keys"),
        ("class A:\n    async def f(self): ...", "<async def>"),
    ],
)
def test_a_use_is_seen_however_it_is_written(text, name):
    """Renaming, nesting and late imports hide nothing."""
    assert name in {found for _, found in uses("edge_node.core.invented", text)}


def test_what_only_looks_alike_is_no_breach():
    """A name that begins like a forbidden one, and a field called ``time``, are fine."""
    text = "import edge_node_tools\nfrom shared.clock import Clock\nx = event.time\ny = clock.now()\n"
    assert not [line for rule in RULES for line in breaches(rule, {"shared.invented": text})]


def test_keys_are_deleted_on_one_page():
    """Only one module holds a statement that deletes keys."""
    found = [name for name, text in sources(*PROGRAMS).items() if KEY_DELETIONS.search(text)]
    assert set(found) <= {KEY_DELETIONS_IN}, found


@pytest.mark.parametrize("statement", ["DELETE FROM row_key", "delete  from\n bucket_key x", "DROP TABLE owner_key"])
def test_a_key_deletion_is_recognised(statement):
    """The expression finds what it is there for."""
    assert KEY_DELETIONS.search(f'SQL = "{statement} WHERE id = :id"')


def test_there_is_something_to_judge():
    """The walk found the product; an empty list would keep every rule."""
    modules = sources(*PROGRAMS)
    assert {"shared.errors", "shared.clock", "edge_node.channels.contract"} <= modules.keys()
