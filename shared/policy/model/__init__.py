"""What stands in each file under ``policies/``: one struct a kind of file, and the parts they are made of.

Every file says its ``kind``.  Files may stand in any order and any number: what they say together is one
:class:`~shared.policy.model.assembled.Policy`.  Unknown keys are refused.  The schema is only ever added to.
"""

from shared.policy.model.assembled import Policy
from shared.policy.model.base import Part, Sourced
from shared.policy.model.cases import (
    Asked,
    Case,
    CasesFile,
    ClockAsked,
    ClockExpected,
    ConflictAsked,
    ConflictExpected,
    DecisionAsked,
    DecisionExpected,
    EventGiven,
    Expected,
    FactGiven,
    Given,
    JurisdictionAsked,
    JurisdictionExpected,
)
from shared.policy.model.company import Condition, Instrument, InstrumentsFile, PlatformFile
from shared.policy.model.law import (
    Article,
    Clock,
    ClockPhase,
    Counter,
    CounterStep,
    Duty,
    Filing,
    JurisdictionFile,
    Law,
    Localisation,
    Mechanism,
    Parameter,
)
from shared.policy.model.overrides import Override, OverridesFile, Statement
from shared.policy.model.rules import Need, Obligations, Rule, RulesFile
from shared.policy.model.vocabulary import BundleFile, DataClass, Group, Purpose, Region, Role, VocabularyFile

File = (
    BundleFile
    | VocabularyFile
    | JurisdictionFile
    | PlatformFile
    | InstrumentsFile
    | RulesFile
    | CasesFile
    | OverridesFile
)
"""Any file; its ``kind`` says which."""

__all__ = [
    "Article",
    "Asked",
    "BundleFile",
    "Case",
    "CasesFile",
    "Clock",
    "ClockAsked",
    "ClockExpected",
    "ClockPhase",
    "Condition",
    "ConflictAsked",
    "ConflictExpected",
    "Counter",
    "CounterStep",
    "DataClass",
    "DecisionAsked",
    "DecisionExpected",
    "Duty",
    "EventGiven",
    "Expected",
    "FactGiven",
    "File",
    "Filing",
    "Given",
    "Group",
    "Instrument",
    "InstrumentsFile",
    "JurisdictionAsked",
    "JurisdictionExpected",
    "JurisdictionFile",
    "Law",
    "Localisation",
    "Mechanism",
    "Need",
    "Obligations",
    "Override",
    "OverridesFile",
    "Parameter",
    "Part",
    "PlatformFile",
    "Policy",
    "Purpose",
    "Region",
    "Role",
    "Rule",
    "RulesFile",
    "Sourced",
    "Statement",
    "VocabularyFile",
]
