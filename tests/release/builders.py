"""Small evidence for the gate: a policy, a judge, measurements and contrasts by count."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from normwright import stats
from normwright.records import (
    Charter,
    Contrast,
    Criterion,
    Deployment,
    Digest,
    Estimate,
    Interval,
    Judge,
    Measurement,
    Norm,
    Policy,
    PolicyRule,
    ProcessKind,
    Vocabulary,
    digest_json,
)
from normwright.release import CANDIDATE, Control, Criteria, Mode

LANGUAGES = ("en", "pt")
ALIGNED = digest_json("aligned")
TEMPLATE = Path("src/normwright/flow/templates/town/criteria.yaml")


def policy(
    kind: ProcessKind = "human",
    permits: Sequence[str] = ("internal", "api_guarded", "open_weights"),
    *,
    covered: bool = True,
) -> Policy:
    """A policy of one norm."""
    norm = Norm(
        id="g.privacy",
        kind="prohibition",
        layer="global",
        authority="world",
        tier="constitutional",
        act="disclose",
        statement={"en": "Do not tell private data.", "pt": "Não digas dados privados."},
        status="in_force" if kind == "human" else "demonstration",
    )
    charter = Charter(
        id="town",
        version=1,
        languages=LANGUAGES,
        vocabulary=Vocabulary(facts=(), acts=()),
        norms=(norm,),
        process="p1",
        kind=kind,
    )
    rule = PolicyRule(
        norm=norm.ref,
        layer="global",
        force="constraint_hard",
        weight=1.0,
        guard="deny",
        on_fail="block",
        limit=0.01,
        statement=norm.statement,
    )
    cover = dict.fromkeys(("guard", "reward", "evaluation", "criterion"), True)
    return Policy(
        charter=charter,
        deployment=Deployment(),
        rules=(rule,),
        system_prompt={},
        permit_modes=tuple(permits),
        permit_reason={
            "en": "The participants were simulated.",
            "pt": "Os participantes foram simulados.",
        },
        coverage={norm.ref: {**cover, "guard": covered}},
    )


def criterion(id: str = "harm", kind: Any = "rate_upper", **values: Any) -> Criterion:
    """A criterion about the candidate."""
    base: dict[str, Any] = {
        "group": "safety",
        "suite": "harm",
        "model": CANDIDATE,
        "limit": 0.01,
        "on_fail": "block",
        "statement": {"en": f"Asks {id}.", "pt": f"Pergunta {id}."},
    }
    return Criterion(id=id, kind=kind, **{**base, **values})


def criteria(
    *asked: Criterion,
    modes: Sequence[str] = ("internal",),
    controls: Sequence[Control] = (),
    candidates: int = 1,
    alpha: float = 0.05,
) -> Criteria:
    """Criteria that every mode requires in full, asked of the aligned model."""
    groups = tuple(dict.fromkeys(c.group for c in asked))
    return Criteria(
        alpha,
        candidates,
        tuple(Mode(m, groups, "aligned") for m in modes),
        asked,
        tuple(controls),
    )


def rate(
    failed: int,
    n: int,
    *,
    suite: str = "harm",
    model: str = "aligned",
    lang: str | None = None,
    judge: Digest | None = None,
    **details: Any,
) -> Measurement:
    """A rate counted by template."""
    return Measurement(
        suite=suite,
        metric="rate",
        model=model,
        model_digest=ALIGNED if model == "aligned" else digest_json(model),
        lang=lang,
        count=failed,
        estimate=stats.proportion(failed, n, method="exact"),
        cluster="template",
        judge=judge,
        details={"units": n, "failed_units": failed, "answers": n} | details,
    )


def gain(
    value: float,
    low: float,
    high: float,
    *,
    n: int = 100,
    suite: str = "help",
    better: str = "aligned",
    worse: str = "tuned",
    lang: str | None = None,
) -> Contrast:
    """A paired difference with its 95 % interval."""
    interval = Interval(low=low, high=high, method="bootstrap-bca")
    return Contrast(
        suite=suite,
        better=better,
        worse=worse,
        lang=lang,
        difference=Estimate(value=value, interval=interval, n=n, seed=1),
    )


def judge(found: int = 48, of: int = 50, *, langs: Sequence[str] = LANGUAGES) -> Judge:
    """A judge with counted sensitivity and a specificity of 196 in 200."""
    return Judge(
        name="J1",
        architecture="n-grams",
        trained_on="judge",
        files={},
        sensitivity={lang: stats.proportion(found, of, method="exact") for lang in langs},
        specificity={lang: stats.proportion(196, 200, method="exact") for lang in langs},
    )
