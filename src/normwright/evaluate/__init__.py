"""Measure what a model does: help, harm, over-refusal, degeneracy and language, with intervals.

Records in, records out: scenes and a charter go in, answers, measurements and contrasts come out.
The judge is never the model that rewarded; controls that must not pass are models like any other.
"""

from normwright.evaluate.asking import Expected, ask, expected, expected_side, observe
from normwright.evaluate.benchmark_rows import (
    CORE,
    SOURCES,
    Benchmark,
    Item,
    examples_of,
    languages,
    read_benchmarks,
    source_of,
)
from normwright.evaluate.benchmark_rows import SUITES as BENCHMARKS
from normwright.evaluate.benchmarks import (
    Asking,
    Examples,
    Scored,
    asking,
    benchmark_contrasts,
    measure_benchmarks,
    measurements,
)
from normwright.evaluate.comparing import ScoreDifference, compare_scores, lineages
from normwright.evaluate.contrast_rows import (
    ContrastPrompt,
    ContrastSets,
    HumanPair,
    read_contrast_prompts,
    read_contrast_sets,
    read_human_pairs,
)
from normwright.evaluate.contrast_sets import (
    Compared,
    Probed,
    declining_margins,
    human_pairs,
    measure_contrast_sets,
    opens_like,
    xstest,
    xstest_contrast,
)
from normwright.evaluate.contrasts import contrast, flip_contrast
from normwright.evaluate.controls import CannedRefusal, Collapsed, Control, LinearShortcut
from normwright.evaluate.degeneracy import Count, Degeneracy, degeneracy, read_counts
from normwright.evaluate.fluency import NgramBaseline, bits_per_byte, measure_bits, windows
from normwright.evaluate.judge import (
    LABELS,
    Label,
    SceneJudge,
    TextJudge,
    fit_judge,
    gauge,
    judge_faults,
)
from normwright.evaluate.judged_pairs import (
    Held,
    human_agreement,
    judged_pairs,
    measure_judged_pairs,
    pairs_contrast,
)
from normwright.evaluate.measures import (
    RATES,
    SUITES,
    Asked,
    Rate,
    answers_digest,
    cluster_of,
    did,
    measure,
    norm_behaviour,
)
from normwright.evaluate.model_judge import (
    RUBRIC,
    ModelJudge,
    check_apart,
    gauge_model_judge,
    model_judge_record,
    parse_label,
    rubric_file,
)
from normwright.evaluate.preference_pairs import (
    Baseline,
    PreferenceScores,
    clusters_of,
    folds_of,
    preference_pairs,
)
from normwright.evaluate.published import Published, published, tables
from normwright.evaluate.scores import Score, counted_score, measured_scores, read_scores
from normwright.evaluate.shortcut import shortcut_values
from normwright.evaluate.suite_results import ControlScore, SuiteResult, suite_result
from normwright.scenes.exact import discloses, exactly_right

__all__ = [
    "BENCHMARKS",
    "CORE",
    "LABELS",
    "RATES",
    "RUBRIC",
    "SOURCES",
    "SUITES",
    "Asked",
    "Asking",
    "Baseline",
    "Benchmark",
    "CannedRefusal",
    "Collapsed",
    "Compared",
    "ContrastPrompt",
    "ContrastSets",
    "Control",
    "ControlScore",
    "Count",
    "Degeneracy",
    "Examples",
    "Expected",
    "Held",
    "HumanPair",
    "Item",
    "Label",
    "LinearShortcut",
    "ModelJudge",
    "NgramBaseline",
    "PreferenceScores",
    "Probed",
    "Published",
    "Rate",
    "SceneJudge",
    "Score",
    "ScoreDifference",
    "Scored",
    "SuiteResult",
    "TextJudge",
    "answers_digest",
    "ask",
    "asking",
    "benchmark_contrasts",
    "bits_per_byte",
    "check_apart",
    "cluster_of",
    "clusters_of",
    "compare_scores",
    "contrast",
    "counted_score",
    "declining_margins",
    "degeneracy",
    "did",
    "discloses",
    "exactly_right",
    "examples_of",
    "expected",
    "expected_side",
    "fit_judge",
    "flip_contrast",
    "folds_of",
    "gauge",
    "gauge_model_judge",
    "human_agreement",
    "human_pairs",
    "judge_faults",
    "judged_pairs",
    "languages",
    "lineages",
    "measure",
    "measure_benchmarks",
    "measure_bits",
    "measure_contrast_sets",
    "measure_judged_pairs",
    "measured_scores",
    "measurements",
    "model_judge_record",
    "norm_behaviour",
    "observe",
    "opens_like",
    "pairs_contrast",
    "parse_label",
    "preference_pairs",
    "published",
    "read_benchmarks",
    "read_contrast_prompts",
    "read_contrast_sets",
    "read_counts",
    "read_human_pairs",
    "read_scores",
    "rubric_file",
    "shortcut_values",
    "source_of",
    "suite_result",
    "tables",
    "windows",
    "xstest",
    "xstest_contrast",
]
