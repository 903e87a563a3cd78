"""A store that is lost or damaged: commands name it and the way back, and put nothing empty in its place."""

import pytest

from tests.integration.commands.test_account_commands import Operator


@pytest.fixture
def operator(tmp_path):
    """Give an operator whose node is set up."""
    operator = Operator(tmp_path)
    operator.run("init", "--region", "eu-test")
    return operator


def test_a_lost_key_store_is_named_and_never_replaced_by_an_empty_one(operator, tmp_path):
    lost = tmp_path / "data" / "keys.db"
    lost.rename(tmp_path / "kept.db")
    for words in (("init",), ("account", "list")):
        said = operator.run(*words, expect=2).stderr
        assert "key_store_lost" in said
        assert "homeport edge restore" in said
        assert not lost.exists()
    (tmp_path / "kept.db").rename(lost)
    operator.run("account", "list")


def test_a_lost_content_store_is_named_and_never_replaced_by_an_empty_one(operator, tmp_path):
    operator.add_line()
    lost = tmp_path / "data" / "content.db"
    lost.rename(tmp_path / "kept.db")
    for words in (("account", "list"), ("init",), ("doctor",), ("keys", "status")):
        said = operator.run(*words, expect=2).stderr
        assert "content_store_lost" in said
        assert "homeport edge restore" in said
        assert not lost.exists()
    lost.touch(mode=0o600)  # what an older release made of it
    for words in (("account", "list"), ("init",)):
        assert "content_store_lost" in operator.run(*words, expect=2).stderr
    lost.unlink()
    (tmp_path / "kept.db").rename(lost)
    assert "line-shop" in operator.run("account", "list").stdout


@pytest.mark.parametrize(("store", "code"), [("keys", "key_store_damaged"), ("content", "content_store_damaged")])
def test_a_store_that_is_no_database_is_named_with_the_way_back(operator, tmp_path, store, code):
    file = tmp_path / "data" / f"{store}.db"
    with file.open("r+b") as damaged:
        damaged.write(b"no database here")
    for words in (("account", "list"), ("keys", "status"), ("doctor",), ("init",)):
        said = operator.run(*words, expect=2).stderr
        assert code in said
        assert "homeport edge restore" in said
    assert file.read_bytes().startswith(b"no database here")


def test_a_set_up_that_was_cut_short_before_the_content_store_is_completed(operator, tmp_path):
    (tmp_path / "data" / "content.db").unlink()
    assert "store_missing" in operator.run("account", "list", expect=2).stderr
    operator.run("init")
    operator.run("account", "list")
