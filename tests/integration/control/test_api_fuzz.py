"""The program API keeps its own schema, whatever is asked: no 5xx, no undocumented answer, no data taken that is wrong.

schemathesis draws requests from the schema, right ones and wrong ones, for every operation.
"""

import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings

from control_plane.http.public import program_api

schema = schemathesis.openapi.from_dict(
    msgspec.json.decode(msgspec.json.encode(program_api(None).openapi_schema.to_schema()))
)

# 422 is what the schema cannot say: a roster or a policy without signatures, an address nothing is sent to, a used key.
schema.config.checks.positive_data_acceptance.expected_statuses += ["422"]

EXAMPLES = 10
EXAMPLES_LONG = 500
OPERATIONS_MIN = 20
OFFICERS_ONLY = {"POST /v1/cases", "POST /v1/policies"}


@pytest.fixture(scope="session")
def session():
    """Give connections that are kept open from one request to the next."""
    with requests.Session() as kept:
        kept.trust_env = False
        yield kept


def _fuzz(case, company, session):
    """Send one request and hold the answer to the schema."""
    if case.operation.path == "/v1/events":
        case.query = {**(case.query or {}), "follow": "false"}
    token = company.officer if case.operation.label in OFFICERS_ONLY else company.operator
    headers = {"Authorization": f"Bearer {token}"}
    case.call_and_validate(base_url=company.control.address, session=session, headers=headers)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_answers_as_documented(case, company, session):
    _fuzz(case, company, session)


@pytest.mark.long
@schema.parametrize()
@settings(max_examples=EXAMPLES_LONG, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_answers_as_documented_for_long(case, company, session):
    _fuzz(case, company, session)


def test_there_is_something_to_ask(company):
    """The served schema is the one that was drawn from, and it has every operation."""
    served = company.control.ask(company.operator, "GET", "/schema").json()
    assert served["paths"] == schema.raw_schema["paths"]
    assert sum(len(each) for each in served["paths"].values()) >= OPERATIONS_MIN
