"""What runs in the background or at set-up, disturbed: removals, journal, keyring, accounts."""

import msgspec
import pytest

from edge_node.storage.journal import Journal, JournalEntry
from edge_node.storage.keys.file_provider import FileProvider
from edge_node.stores import initialise, key_places
from edge_node.usecases.letting_go import removal
from edge_node.usecases.receiving.filing import Taken
from shared import private_files
from shared.entropy import SystemEntropy
from shared.message import Edit, Text
from tests.support.interleave import Between, Died
from tests.support.stores import ACCOUNT, CREDENTIALS, bench, message, person, recall, settings, taken

ANN = person(1, phone=11)


@pytest.mark.parametrize("step", ["advance", "finish"])
async def test_a_removal_goes_on_while_a_number_passes_to_another(open_bench, monkeypatch, step):
    """That the people changed is nothing to a removal, and no reason for an alert and five seconds of waiting."""
    async with open_bench() as one, open_bench() as two:
        await one.take(message(1, ANN, "goes"), message(2, ANN, "stays"))
        await one.take(recall(1, ANN))

        async def meanwhile():
            await two.take(message(3, person(9, phone=11), "another's number now"))

        Between(monkeypatch).before(removal, step, meanwhile)
        await one.remove()
        assert await one.rows("SELECT state FROM log_entry") == [("done",)]


async def test_accounts_are_read_while_one_of_them_is_replaced(open_bench, monkeypatch):
    async with open_bench() as one, open_bench() as two:

        async def meanwhile():
            await two.stores.accounts.save(ACCOUNT, CREDENTIALS, replace=True)
            await two.remove()

        Between(monkeypatch).before(one.keys, "open_rows", meanwhile)
        assert [account.name for account, _ in await one.stores.accounts.load()] == [ACCOUNT.name]


async def test_two_replacements_of_one_account_at_once_leave_one_key(open_bench, monkeypatch):
    async with open_bench() as one, open_bench() as two:

        async def meanwhile():
            await two.stores.accounts.save(ACCOUNT, CREDENTIALS, replace=True)

        Between(monkeypatch).before(one.keys, "commit", meanwhile)
        await one.stores.accounts.save(ACCOUNT, CREDENTIALS, replace=True)
        await one.remove()
        assert len(await one.stores.accounts.load()) == 1
        assert await one.key_rows("SELECT count(*) FROM row_key") == [(1,)]


@pytest.mark.parametrize("cut", range(1, 5))
async def test_a_set_up_cut_short_at_any_file_ends_with_keys_at_both_places(tmp_path, monkeypatch, cut):
    chosen, real, written = settings(tmp_path), private_files.replace, []

    def write(path, data):
        if len(written) == cut - 1:
            raise Died
        written.append(path)
        real(path, data)

    with monkeypatch.context() as broken:
        broken.setattr(private_files, "replace", write)
        with pytest.raises(Died):
            await initialise(chosen)
    await initialise(chosen)
    for place in key_places(chosen):
        assert FileProvider([place], SystemEntropy()).find_epoch(chosen.region, 1)


def test_a_journal_cut_short_at_any_byte_gives_every_whole_entry(tmp_path):
    journal = Journal(tmp_path)

    def entry(number: int) -> JournalEntry:
        return JournalEntry(f"{number}", "recall", "whatsapp", number, number, "aa" * 16, 1)

    journal.append([entry(1), entry(2)])
    whole = journal.path.read_bytes()
    for cut in range(len(whole)):
        journal.path.write_bytes(whole[:cut])
        journal.append([entry(3)])
        found = [each.log_entry for each in journal.read()]
        lines = whole[:cut].count(b"}\n") + (whole[:cut].endswith(b"}"))
        assert found == [*["1", "2"][:lines], "3"], cut
        assert all(msgspec.json.encode(each) for each in journal.read())


async def test_an_edit_without_a_time_is_no_newer_when_it_comes_again(open_bench):
    def untimed(name: str, received_at: int) -> Taken:
        event = Edit(
            channel="whatsapp", via="3", at=0, author=ANN, event_id=name, message_id="wamid.1", content=Text(name)
        )
        return msgspec.structs.replace(taken(event), received_at=received_at)

    async with open_bench() as one, open_bench() as two:
        await one.take(message(1, ANN, "first"))
        await one.taking_in.take_in([untimed("second", 5000)])
        await one.taking_in.take_in([untimed("third", 6000)])
        stands, log = await one.texts(), await one.rows("SELECT count(*) FROM log_entry")
        assert stands in (["second"], ["third"])  # by the edits' marks, which are the node's own
        await two.taking_in.take_in([untimed("third", 7000)])
        await two.taking_in.take_in([untimed("second", 8000)])
        assert await one.rows("SELECT count(*) FROM log_entry") == log
        assert await one.texts() == stands


async def test_an_account_that_was_removed_and_set_up_again_keeps_its_row_and_messages(tmp_path):
    async with bench(tmp_path) as node:
        await node.take(message(1, ANN, "kept"))
        await node.stores.accounts.remove(ACCOUNT.name)
        await node.remove()
        assert await node.stores.accounts.load() == []
        await node.stores.accounts.save(ACCOUNT, CREDENTIALS, replace=False)
        assert await node.rows("SELECT id, name FROM account") == [(1, ACCOUNT.name)]
        assert await node.texts() == ["kept"]
