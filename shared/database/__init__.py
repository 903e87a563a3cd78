"""The one way to a database.  ``contract.py`` says what every driver does; ``README.md`` how SQL is written."""

from shared.database.contract import (
    ConstraintViolated,
    Database,
    Dialect,
    Parameters,
    Row,
    ScriptRefused,
    StatementInvalid,
    Step,
    StepResult,
    Transaction,
    Value,
)

__all__ = [
    "ConstraintViolated",
    "Database",
    "Dialect",
    "Parameters",
    "Row",
    "ScriptRefused",
    "StatementInvalid",
    "Step",
    "StepResult",
    "Transaction",
    "Value",
]
