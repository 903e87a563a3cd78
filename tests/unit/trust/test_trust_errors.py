"""The catalogue's two pages are one: every code once, every error with a sentence and a next step."""

import inspect

from shared import errors, wire
from shared.errors import HomeportError, trust


def catalogue() -> list[type[HomeportError]]:
    """Give every error of both pages."""
    found = {**vars(errors), **vars(trust)}.values()
    return [each for each in found if inspect.isclass(each) and issubclass(each, HomeportError)]


def test_every_code_is_used_once():
    """A code names one error, for good."""
    codes = [each.code for each in catalogue()]
    assert len(codes) > 40
    assert len({*codes}) == len(codes)


def test_every_error_of_trust_says_what_and_what_next():
    """Its docstring is the message; its page lists it."""
    ours = [each for each in catalogue() if each.__module__ == trust.__name__]
    assert len(ours) > 10
    for each in ours:
        assert "code" in vars(each)
        assert "remedy" in vars(each)
        assert (each.__doc__ or "").strip().endswith(".")
        assert each.__name__ in (trust.__doc__ or "")


def test_every_error_can_be_told_to_a_node():
    """A ``Problem`` has room for each code and status of the catalogue."""
    for each in catalogue():
        problem = wire.Problem(
            protocol=1, code=each.code, status=each.status, retry=each.retry, retry_after_seconds=None
        )
        assert wire.decode(wire.Problem, wire.encode(problem)) == problem
