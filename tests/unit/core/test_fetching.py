"""Which file a message has, and what follows from how an attempt to fetch it ended."""

import base64
import hashlib

import pytest

from edge_node.core.fetching import (
    A_FEW_TIMES,
    AGAIN,
    KEPT_MS,
    NEVER,
    WHATSAPP_BYTES_MAX,
    Again,
    GiveUp,
    Withheld,
    check,
    hex_digest,
    judge,
    same_file,
    wanted,
)
from shared.message import Edit, Media, Message, Text
from shared.message.content import ExternalMedia

DIGEST = hashlib.sha256(b"a file")
BASE64 = base64.b64encode(DIGEST.digest()).decode()
BOUND = 256 * 1024 * 1024
ABROAD = ExternalMedia("https://example.org/a.jpg")


def whatsapp(content, kind=Message):
    return kind(channel="whatsapp", via="100", at=5, message_id="wamid.1", content=content)


def line(content):
    return Message(channel="line", via="Ubot", at=5, message_id="1", content=content)


def test_a_file_is_asked_for_by_its_id_or_by_its_message():
    file = wanted(whatsapp(Media("image", media_id="7", sha256=BASE64)), external=False, bytes_max=BOUND)
    assert (file.media_id, file.via, file.sha256) == ("7", "100", DIGEST.hexdigest())
    assert file.bytes_max == WHATSAPP_BYTES_MAX
    assert "wamid" not in repr(file)
    file = wanted(line(Media("video", size=9)), external=False, bytes_max=BOUND)
    assert (file.message_id, file.media_id, file.size, file.bytes_max) == ("1", None, None, BOUND)
    assert wanted(whatsapp(Media("sticker", media_id="7"), Edit), external=False, bytes_max=BOUND).bytes_max < BOUND


@pytest.mark.parametrize(
    "event", [whatsapp(Text("x")), whatsapp(Media("image")), line(Media("image", external=ABROAD))]
)
def test_what_has_no_file_that_is_fetched(event):
    assert wanted(event, external=False, bytes_max=BOUND) is None


def test_an_address_of_somebody_else_only_where_the_operator_allows_it():
    file = wanted(line(Media("image", external=ABROAD)), external=True, bytes_max=BOUND)
    assert file.url == ABROAD.url
    assert wanted(line(Media("image", external=ExternalMedia())), external=True, bytes_max=BOUND) is None


def test_every_ending_is_of_one_sort():
    assert not AGAIN & NEVER
    assert not AGAIN & A_FEW_TIMES
    assert not A_FEW_TIMES & NEVER


@pytest.mark.parametrize("code", sorted(AGAIN))
def test_what_may_mend_is_asked_again_later_and_later_until_it_is_too_old(code):
    due = [judge(code, attempts=n, at=0, now=1_000).due_at for n in range(1, 60)]
    assert due == sorted(due)
    assert due[0] > 1_000
    assert due[-1] <= 1_000 + 3_600_000
    assert judge(code, attempts=1, at=0, now=KEPT_MS) == GiveUp("expired")


@pytest.mark.parametrize("code", sorted(A_FEW_TIMES))
def test_what_may_mend_a_few_times(code):
    assert isinstance(judge(code, attempts=4, at=0, now=1), Again)
    assert judge(code, attempts=5, at=0, now=1) == GiveUp(code)


@pytest.mark.parametrize("code", [*sorted(NEVER), "never heard of"])
def test_what_is_never_asked_again(code):
    assert judge(code, attempts=1, at=0, now=1) == GiveUp(code)


def test_a_platform_that_asks_for_patience_gets_it_up_to_an_hour():
    assert judge("busy", attempts=1, at=0, now=0, retry_after=120).due_at == 120_000
    assert judge("busy", attempts=1, at=0, now=0, retry_after=999_999).due_at == 3_600_000


def test_what_was_taken_back_is_withheld_and_counts_as_a_recall_only_where_bytes_are_here():
    assert judge("gone", attempts=1, at=0, now=1) == Withheld(recall=False)
    assert judge("gone", attempts=9, at=0, now=KEPT_MS * 2, bytes_here=1) == Withheld(recall=True)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (DIGEST.hexdigest(), DIGEST.hexdigest()),
        (DIGEST.hexdigest().upper(), DIGEST.hexdigest()),
        (BASE64, DIGEST.hexdigest()),
        (BASE64.rstrip("="), DIGEST.hexdigest()),
        (BASE64.replace("+", "-").replace("/", "_"), DIGEST.hexdigest()),
        ("zz" * 32, None),
        ("c2hvcnQ=", None),
        ("ÿ", None),
        (None, None),
    ],
)
def test_a_digest_is_read_in_both_spellings(written, read):
    assert hex_digest(written) == read


def test_a_file_is_held_to_everything_that_was_said_of_it():
    assert check("aa", 3, (None, "aa"), (None, 3)) == ""
    assert check("aa", 3, (None, "bb"), (3,)) == "digest_mismatch"
    assert check("aa", 3, ("aa",), (4, 3)) == "size_mismatch"


def test_an_edit_keeps_its_file_unless_it_names_another():
    def file(media_id, sha256=None):
        return wanted(whatsapp(Media("image", media_id=media_id, sha256=sha256)), external=False, bytes_max=BOUND)

    assert same_file("7", None, file("7"))
    assert not same_file("7", None, file("8"))
    assert same_file("7", DIGEST.hexdigest(), file("8", BASE64))
    assert not same_file("7", "00" * 32, file("7", BASE64))
