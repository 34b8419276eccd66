"""A model behind an API as the model under test: the steps of a project that trains nothing.

There are two roles: `base` is the model as it is, `guarded` is the same behind the project's guard,
which has no reward model to rank answers with. Nobody else can make such a model again; what was
asked and answered is stored instead, and every record says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from normwright.flow.engine import Context
from normwright.flow.project import Project
from normwright.flow.stages.asked import open_remote, tested, use_of
from normwright.flow.stages.evidence import Bench, attacked, controls, measured
from normwright.flow.stages.stored import ref_of
from normwright.records import Digest, MadeBy, Message, ModelRef, Record

if TYPE_CHECKING:
    from normwright.models import Model

GREETING: Final = "Say yes."
"""What the endpoint is asked first, to see that it answers before anything is built on it."""


def base(project: Project, context: Context) -> list[Record]:
    """Ask the endpoint one thing and write down what it says that it is."""
    settings = tested(project)
    model = open_remote(project, settings, name="base")
    model.generate([[Message(role="user", content=GREETING)]], max_new_tokens=8)
    use = use_of(context, model, "base")
    ref = ModelRef(
        name="base",
        files={},
        parameters=None,
        recipe="remote",
        settings={
            **settings.about,
            "served": list(use.served),
            "fingerprints": list(use.fingerprints),
        },
        derived_from=(use.digest,),
        made_by=MadeBy(stage="learn", plugin="remote", seed=context.seed),
    )
    return [ref, use]


def evaluate(project: Project, context: Context) -> list[Record | Digest]:
    """Ask the remote model, the same behind the guard, and the controls; measure all answers."""
    bench = Bench.of(project, context)
    model = open_remote(project, tested(project), name="base", context=context)
    ref = ref_of(context, "learn.base", "base").digest
    guarded = bench.guarded(model, ranked=False)
    models: list[tuple[str, Model, Digest]] = [
        ("base", model, ref),
        ("guarded", guarded, ref),
        *controls(project, context, bench),
    ]
    made = measured(bench, models, guarded)
    return [*made, use_of(context, model, "base", ref)]


def redteam(project: Project, context: Context) -> list[Record | Digest]:
    """Attack the remote model and the same behind the guard."""
    bench = Bench.of(project, context)
    model = open_remote(project, tested(project), name="base", context=context)
    ref = ref_of(context, "learn.base", "base").digest
    guarded = bench.guarded(model, ranked=False)
    made = attacked(bench, [("base", model, ref), ("guarded", guarded, ref)])
    return [*made, use_of(context, model, "base", ref)]
