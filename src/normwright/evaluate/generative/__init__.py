"""Suites of written answers: what a model says, read by rules and by judges with measured errors.

Each suite asks, reads the answers, and is scored beside constants, its own answers shuffled, and
random weights; `measure_answers` puts all that into one result.
"""

from normwright.evaluate.generative.instructions import (
    CHECKS,
    follows,
    instruction_prompts,
    instruction_suite,
)
from normwright.evaluate.generative.judging import (
    QUESTIONS,
    Corrected,
    Errors,
    Flags,
    Gauged,
    ModelFlags,
    check_judge_apart,
    corrected_difference,
    corrected_rate,
    gauge_flags,
    labelled_refusals,
    refusal_rule,
    rubric_digest,
    text_flags,
)
from normwright.evaluate.generative.measuring import (
    Beside,
    GenerativeResult,
    Reason,
    ask_prompts,
    measure_answers,
    shuffled_answers,
)
from normwright.evaluate.generative.prompts import (
    LANGUAGES,
    Asking,
    Prompt,
    sampled,
)
from normwright.evaluate.generative.reading import copies, form_of, readable, refuses
from normwright.evaluate.generative.refusal import refusal_prompts, refusal_suite, xstest_twins
from normwright.evaluate.generative.scoring import Generative, Reading, Unit
from normwright.evaluate.generative.sycophancy import sycophancy_prompts, sycophancy_suite, taken
from normwright.evaluate.generative.toxicity import (
    shipped_errors,
    toxicity_prompts,
    toxicity_suite,
)
from normwright.evaluate.generative.truthful import (
    apart,
    likeness,
    truth_judge,
    truthful_prompts,
    truthful_suite,
)

__all__ = [
    "CHECKS",
    "LANGUAGES",
    "QUESTIONS",
    "Asking",
    "Beside",
    "Corrected",
    "Errors",
    "Flags",
    "Gauged",
    "Generative",
    "GenerativeResult",
    "ModelFlags",
    "Prompt",
    "Reading",
    "Reason",
    "Unit",
    "apart",
    "ask_prompts",
    "check_judge_apart",
    "copies",
    "corrected_difference",
    "corrected_rate",
    "follows",
    "form_of",
    "gauge_flags",
    "instruction_prompts",
    "instruction_suite",
    "labelled_refusals",
    "likeness",
    "measure_answers",
    "readable",
    "refusal_prompts",
    "refusal_rule",
    "refusal_suite",
    "refuses",
    "rubric_digest",
    "sampled",
    "shipped_errors",
    "shuffled_answers",
    "sycophancy_prompts",
    "sycophancy_suite",
    "taken",
    "text_flags",
    "toxicity_prompts",
    "toxicity_suite",
    "truth_judge",
    "truthful_prompts",
    "truthful_suite",
    "xstest_twins",
]
