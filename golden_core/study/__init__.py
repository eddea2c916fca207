"""The study: the single source of configuration, its validation and its identity. No science belongs here."""

from golden_core.study.export import describe as describe
from golden_core.study.export import study_schema as study_schema
from golden_core.study.faults import Fault as Fault
from golden_core.study.faults import StudyError as StudyError
from golden_core.study.faults import closest as closest
from golden_core.study.money import EconomicsSection as EconomicsSection
from golden_core.study.protocol import PlaceboSection as PlaceboSection
from golden_core.study.protocol import ProtocolSection as ProtocolSection
from golden_core.study.reading import CUSTOM as CUSTOM
from golden_core.study.reading import NAME as NAME
from golden_core.study.reading import Vocabulary as Vocabulary
from golden_core.study.reading import read_study as read_study
from golden_core.study.section import Rule as Rule
from golden_core.study.sections import AdaptiveCalibration as AdaptiveCalibration
from golden_core.study.sections import DataSection as DataSection
from golden_core.study.sections import EarlyStopping as EarlyStopping
from golden_core.study.sections import EvaluationSection as EvaluationSection
from golden_core.study.sections import Plateau as Plateau
from golden_core.study.sections import Section as Section
from golden_core.study.sections import TrainingSection as TrainingSection
from golden_core.study.sections import WalkForwardSection as WalkForwardSection
from golden_core.study.sections import canonical_json as canonical_json
from golden_core.study.whole import Study as Study
