"""What a file is, by its first bytes."""

import pytest

from edge_node.core.sniffing import agrees, sniff


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"\x00\x00\x00\x18ftyp3gp4", "video/3gpp"),
        (b"\x00\x00\x00\x18ftypM4A ", "audio/mp4"),
        (b"OggS\x00\x02", "audio/ogg"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"#!AMR\n", "audio/amr"),
        (b"%PDF-1.7", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-cfb"),
        (b"MZ\x90\x00", None),
        (b"", None),
        (b"\xff", None),
    ],
)
def test_first_bytes_tell(head, kind):
    assert sniff(head) == kind


@pytest.mark.parametrize(
    ("declared", "sniffed", "may_be"),
    [
        ("image/jpeg", "image/jpeg", True),
        ("audio/ogg; codecs=opus", "audio/ogg", True),
        ("Audio/X-M4A", "audio/mp4", True),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/zip", True),
        ("application/msword", "application/x-cfb", True),
        ("application/octet-stream", "image/png", True),
        ("image/jpeg", None, True),
        (None, "image/png", True),
        ("image/jpeg", "application/zip", False),
        ("image/png", "image/jpeg", False),
        ("application/pdf", "video/mp4", False),
    ],
)
def test_a_declared_type_is_held_to_it(declared, sniffed, may_be):
    assert agrees(declared, sniffed) is may_be
