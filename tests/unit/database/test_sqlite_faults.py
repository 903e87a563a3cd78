"""Faults: what SQLite and Python say of a failure is passed on only where it cannot hold a value."""

import sqlite3

import pytest

from shared.database.contract import ConstraintViolated, StatementInvalid
from shared.database.sqlite_faults import fault_of
from shared.errors import StoreUnavailable

CANARY = "planted-canary"


def raised(*statements: str) -> sqlite3.Error:
    link = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.Error) as caught:  # noqa: PT012 - the block is what raises
        for statement in statements:
            link.execute(statement).fetchall()
    return caught.value


@pytest.mark.parametrize(
    "statements",
    [
        [f"SELECT json_extract('{{}}', '{CANARY}')"],
        [f"SELECT CAST(x'{CANARY.encode().hex()}ff' AS TEXT)"],
        ["CREATE VIRTUAL TABLE f USING fts5 (x)", f"SELECT * FROM f WHERE f MATCH '\"{CANARY}'"],
        ["CREATE TABLE t (x)", f"CREATE TRIGGER r BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, '{CANARY}'); END",
         "INSERT INTO t VALUES (1)"],
        [f"SELECT 1 FROM sqlite_schema WHERE 1 LIKE 1 ESCAPE '{CANARY}'"],
    ],
)  # fmt: skip
def test_texts_that_could_quote_a_value_are_withheld(statements):
    error = raised(*statements)
    assert "canary" not in str(fault_of(error))


def test_texts_about_our_own_sql_are_passed_on():
    fault = fault_of(raised("SELECT * FROM no_such"))
    assert isinstance(fault, StatementInvalid)
    assert "no such table: no_such" in str(fault)


def test_a_violated_index_is_named():
    fault = fault_of(raised("CREATE TABLE t (a, b, UNIQUE (a, b))", "INSERT INTO t VALUES (1, 2)",
                            "INSERT INTO t VALUES (1, 2)"))  # fmt: skip
    assert isinstance(fault, ConstraintViolated)
    assert (fault.kind, fault.place) == ("unique", "t.a, t.b")


def test_text_that_is_no_unicode_is_withheld():
    with pytest.raises(UnicodeError) as caught:
        sqlite3.connect(":memory:").execute("SELECT ?", (f"{CANARY}\ud800",))
    fault = fault_of(caught.value)
    assert isinstance(fault, StatementInvalid)
    assert "canary" not in str(fault)


@pytest.mark.parametrize("name", ["FULL", "IOERR", "BUSY", "CORRUPT", "CANTOPEN", "NOTADB", "READONLY", "NOMEM"])
def test_what_the_disk_refuses_can_be_tried_again(name):
    error = sqlite3.OperationalError(CANARY)
    error.sqlite_errorcode, error.sqlite_errorname = getattr(sqlite3, f"SQLITE_{name}"), f"SQLITE_{name}"
    fault = fault_of(error)
    assert isinstance(fault, StoreUnavailable)
    assert fault.details == {"cause": f"SQLITE_{name}"}


def test_a_reader_that_writes_is_our_mistake():
    error = raised("CREATE TABLE t (x)", "PRAGMA query_only = 1", "INSERT INTO t VALUES (1)")
    assert isinstance(fault_of(error, only_reads=True), StatementInvalid)
    assert isinstance(fault_of(error, only_reads=False), StoreUnavailable)
