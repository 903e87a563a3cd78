"""The program API keeps its own schema, whatever is asked: no 5xx, no undocumented answer, no data taken that is wrong.

schemathesis draws requests from the schema, right ones and wrong ones, for every operation.
"""

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from control_plane.http.public import program_api

schema = schemathesis.openapi.from_dict(
    msgspec.json.decode(msgspec.json.encode(program_api(None).openapi_schema.to_schema()))
)

EXAMPLES = 20
EXAMPLES_LONG = 1_000
OPERATIONS_MIN = 20


def _fuzz(case, company):
    """Send one request and hold the answer to the schema."""
    if case.operation.path == "/v1/events":
        case.query = {**(case.query or {}), "follow": "false"}
    opens_case = (case.operation.method.upper(), case.operation.path) == ("POST", "/v1/cases")
    token = company.officer if opens_case else company.operator
    case.call_and_validate(base_url=company.control.address, headers={"authorization": f"Bearer {token}"})


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_answers_as_documented(case, company):
    _fuzz(case, company)


@pytest.mark.long
@schema.parametrize()
@settings(max_examples=EXAMPLES_LONG, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_answers_as_documented_for_long(case, company):
    _fuzz(case, company)


def test_there_is_something_to_ask(company):
    """The served schema is the one that was drawn from, and it has every operation."""
    served = company.control.ask(company.operator, "GET", "/schema").json()
    assert served["paths"] == schema.raw_schema["paths"]
    assert sum(len(each) for each in served["paths"].values()) >= OPERATIONS_MIN
