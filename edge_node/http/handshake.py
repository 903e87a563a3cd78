"""Read the query of the callback handshake."""

from urllib.parse import parse_qsl

_FIELDS_MAX = 20


def read_query(query: bytes) -> dict[str, str]:
    """Give the decoded query parameters, the first of each name; more than a few give none at all."""
    try:
        pairs = parse_qsl(query.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError:
        return {}
    return dict(reversed(pairs))
