"""What a file is, by its first bytes: a small table of what both platforms carry, recorded beside what was declared.

Sources: each format's own specification as collected in the IANA media type registry; ISO/IEC 14496-12 for brands.
"""

_ISO_BRANDS = {
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"avif": "image/avif",
}
_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-cfb"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"fLaC", "audio/flac"),
)
_ALIKE = (
    frozenset({"audio/mp4", "audio/m4a", "audio/x-m4a", "video/mp4", "audio/aac", "video/3gpp", "video/quicktime"}),
    frozenset({"audio/ogg", "audio/opus", "application/ogg"}),
    frozenset({"audio/mpeg", "audio/mp3"}),
    frozenset({"image/jpeg", "image/jpg"}),
    frozenset({"image/heic", "image/heif"}),
)
"""Types that one another's files are declared as, and rightly so."""
_ZIPPED = ("application/vnd.openxmlformats-", "application/vnd.oasis.opendocument.", "application/epub+zip")
_COMPOUND = frozenset({"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"})


def sniff(head: bytes) -> str | None:
    """Give the media type that a file's first bytes (64 are enough) show; ``None`` where they show none."""
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return "video/3gpp" if brand.startswith((b"3gp", b"3g2")) else _ISO_BRANDS.get(brand, "video/mp4")
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}.get(head[8:12])
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        layer = head[1] >> 1 & 3
        return "audio/aac" if layer == 0 else "audio/mpeg"
    return None


def agrees(declared: str | None, sniffed: str | None) -> bool:
    """Say whether a declared type can be what was found; where either is unknown nothing speaks against it."""
    said = plain(declared)
    if said is None or sniffed is None or said in {sniffed, "application/octet-stream"}:
        return True
    if sniffed == "application/zip":
        return said.startswith(_ZIPPED)
    if sniffed == "application/x-cfb":
        return said in _COMPOUND
    return any(said in group and sniffed in group for group in _ALIKE)


def plain(declared: str | None) -> str | None:
    """Give a declared type without its parameters, in lower case; ``None`` where there is none."""
    return (declared or "").partition(";")[0].strip().lower() or None
