"""The study: the single source of configuration, its validation and its identity. No science belongs here."""

from golden_core.study.export import describe, study_schema
from golden_core.study.faults import Fault, StudyError, closest
from golden_core.study.money import EconomicsSection
from golden_core.study.reading import CUSTOM, NAME, Vocabulary, read_study
from golden_core.study.rules import Rule
from golden_core.study.sections import (
    AdaptiveCalibration,
    ChecksSection,
    DataSection,
    EarlyStopping,
    EvaluationSection,
    ExplanationsSection,
    PlaceboSection,
    Plateau,
    ProtocolSection,
    QuantilesSection,
    Section,
    SeedsSection,
    SplitCalibration,
    Study,
    TrainingSection,
    WalkForwardSection,
    canonical_json,
)
from golden_core.study.values import Pair

__all__ = [
    "CUSTOM",
    "NAME",
    "AdaptiveCalibration",
    "ChecksSection",
    "DataSection",
    "EarlyStopping",
    "EconomicsSection",
    "EvaluationSection",
    "ExplanationsSection",
    "Fault",
    "Pair",
    "PlaceboSection",
    "Plateau",
    "ProtocolSection",
    "QuantilesSection",
    "Rule",
    "Section",
    "SeedsSection",
    "SplitCalibration",
    "Study",
    "StudyError",
    "TrainingSection",
    "Vocabulary",
    "WalkForwardSection",
    "canonical_json",
    "closest",
    "describe",
    "read_study",
    "study_schema",
]
