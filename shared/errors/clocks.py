"""A page of the catalogue of errors: what can be wrong with the data that legal clocks are computed from.

::

    OperatorError
    └── CalendarUnknown         no such country, part of a country, or time zone in the libraries installed
"""

from shared.errors import OperatorError


class CalendarUnknown(OperatorError):
    """A calendar that a jurisdiction's file names is not in the libraries that are installed."""

    code = "calendar_unknown"
    remedy = "Correct time_zone, weekend or holidays in the jurisdiction's file; both libraries list what they have."
