"""A policy as files that people can review, and read back as they stand after an edit.

Everything is text with one meaning: the same policy gives the same bytes. The criteria are written
in the form release reads; reading them back is left to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from normwright.charter.enacting.coverage import coverage
from normwright.charter.explaining import explained
from normwright.charter.loading import Document, load
from normwright.charter.writing import as_yaml
from normwright.norms.vocabulary import near
from normwright.records import (
    MODES,
    Criterion,
    Digest,
    EvaluationItem,
    Fault,
    GuardRule,
    InputError,
    Policy,
    Principle,
    RewardConstraint,
    RewardTerm,
    RubricItem,
)

POLICY, CRITERIA, COVERAGE, EVALUATION = (
    "policy.json", "criteria.yaml", "coverage.json", "evaluation.jsonl")  # fmt: skip

LISTS: Mapping[str, Mapping[str, type[BaseModel]]] = {
    "principles.yaml": {"principles": Principle},
    "rubric.yaml": {"rubric": RubricItem},
    "guard.yaml": {"guard_rules": GuardRule},
    "rewards.yaml": {"reward_terms": RewardTerm, "reward_constraints": RewardConstraint},
}
"""The files that are lists of records: name -> key, which is the policy's field, -> record."""

ALPHA = 0.05
"""Error allowed for each criterion, written as a proposal: whoever signs the criteria sets it."""

_M = TypeVar("_M", bound=BaseModel)


def files_of(policy: Policy) -> dict[str, bytes]:
    """Return every artefact of a policy as a file: name -> content."""
    charter = policy.charter.digest  # once: it is the digest of all norms
    found: dict[str, str] = {f"prompt.{lang}.md": _prompt(policy, lang)
                             for lang in policy.system_prompt}  # fmt: skip
    for name, parts in LISTS.items():
        body: dict[str, Any] = {key: _records(getattr(policy, key)) for key in parts}
        if name == "guard.yaml":
            body = {"closed_acts": list(policy.deployment.closed_acts), **body}
        found[name] = as_yaml({**_head(policy, name), **body})
    found[EVALUATION] = "".join(
        _line({"charter": charter, **_plain(item)}) for item in policy.evaluation
    )
    found[CRITERIA] = _criteria(policy)
    found[COVERAGE] = _json(_plain(coverage(policy), defaults=True))
    found[POLICY] = _json(policy.model_dump(mode="json", by_alias=True))
    return {name: text.encode("utf-8") for name, text in sorted(found.items())}


def with_files(policy: Policy, folder: Path, criteria: Sequence[Criterion]) -> Policy:
    """Return a policy with its artefacts as they stand in a folder, edits and gaps included.

    A file that is missing leaves its artefact empty. What the system prompt says is not read back:
    no norm rests on it alone.

    Args:
        policy: what the charter and the deployment give now.
        folder: where the files lie.
        criteria: those of the folder, read by whoever reads criteria.

    Raises:
        InputError: with every fault of the files; also if one was made of another charter.
    """
    faults: list[Fault] = []
    found: dict[str, Any] = {"criteria": tuple(criteria)}
    for name, parts in LISTS.items():
        found |= dict.fromkeys(parts, ())
        if (folder / name).exists():
            found |= _lists(folder / name, parts, policy, faults)
    found["evaluation"] = _evaluation(folder / EVALUATION, policy, faults)
    if faults:
        raise InputError(faults)
    return policy.model_copy(update=found)


def edited(policy: Policy, folder: Path) -> tuple[str, ...]:
    """Return the files of a folder that are not what the policy gives, missing ones included."""
    return tuple(
        name for name, data in files_of(policy).items()
        if not (folder / name).is_file() or (folder / name).read_bytes() != data
    )  # fmt: skip


def _prompt(policy: Policy, lang: str) -> str:
    notes = policy.prompt
    head = {
        **_head(policy, f"prompt.{lang}.md"),
        "lang": lang,
        "words": notes.words.get(lang, 0),
        "budget": notes.budget,
        "dropped": list(notes.dropped),
        "defeated": _records(notes.defeated),
    }
    return f"---\n{as_yaml(head)}---\n{policy.system_prompt[lang]}\n"


def _head(policy: Policy, name: str) -> dict[str, Any]:
    return {"schema": f"policy-{name.partition('.')[0]}/v1", "charter": policy.charter.digest,
            "deployment": policy.deployment.id}  # fmt: skip


def _criteria(policy: Policy) -> str:
    groups = list(dict.fromkeys(c.group for c in policy.criteria))
    models = {mode: "guarded" if mode == "api_guarded" else "aligned" for mode in MODES}
    body = {
        "schema": "release-criteria/v1",
        "alpha": ALPHA,
        "candidates_tested": 1,
        "modes": {m: {"requires": list(groups), "model": model} for m, model in models.items()},
        "criteria": [_criterion(c) for c in policy.criteria],
    }
    return f"# Charter {policy.charter.id}, {policy.charter.digest}\n{as_yaml(body)}"


def _criterion(criterion: Criterion) -> dict[str, Any]:
    kept = ("id", "group", "kind", "suite", "metric", "norm", "lang", "limit", "on_fail",
            "statement")  # fmt: skip
    body = criterion.model_dump(mode="json", include=set(kept), exclude_none=True)
    return {key: body[key] for key in kept if key in body}


def _records(records: Iterable[BaseModel]) -> list[dict[str, Any]]:
    return [_plain(record) for record in records]


def _plain(record: BaseModel, *, defaults: bool = False) -> dict[str, Any]:
    body = record.model_dump(mode="json", by_alias=True, exclude_none=True)
    if isinstance(record, RubricItem):
        body["calibration"] = record.calibration  # null is said: the judge is uncalibrated
    if isinstance(record, GuardRule):
        body["condition"] = record.condition.model_dump(mode="json", by_alias=True,
                                                        exclude_none=True)  # fmt: skip
    return body if defaults else {k: v for k, v in body.items() if k not in _PROVENANCE}


_PROVENANCE = ("derived_from", "made_by")


def _lists(
    path: Path, parts: Mapping[str, type[BaseModel]], policy: Policy, faults: list[Fault]
) -> dict[str, Any]:
    document = load(path, path.name, faults)
    if document is None:
        return {}
    if not isinstance(document.value, dict):
        faults.append(Fault(where=f"{path.name}:1", expected="keys and values",
                            seen=type(document.value).__name__))  # fmt: skip
        return {}
    known = (*_head(policy, path.name), "closed_acts", *parts)
    faults += [
        Fault(where=document.where((key,)), expected=f"one of {', '.join(known)}",
              seen=f"unknown key {key}", do=near(key, known))
        for key in document.value
        if key not in known
    ]  # fmt: skip
    seen, at = document.value.get("charter"), document.where(("charter",))
    faults += _of_another(seen, at, policy.charter.digest)
    return {key: _read(document, key, model, faults) for key, model in parts.items()}


def _read(document: Document, key: str, model: type[_M], faults: list[Fault]) -> tuple[_M, ...]:
    given = document.value.get(key)
    if not isinstance(given, list):
        faults.append(Fault(where=document.where((key,)), expected="a list",
                            seen="nothing" if given is None else type(given).__name__))  # fmt: skip
        return ()
    found = []
    for number, entry in enumerate(given):
        try:
            found.append(model.model_validate(entry))
        except ValidationError as error:
            faults += explained(error, document, model, (key, number))
    return tuple(found)


def _evaluation(path: Path, policy: Policy, faults: list[Fault]) -> tuple[EvaluationItem, ...]:
    if not path.exists():
        return ()
    digest = policy.charter.digest
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        where = f"{path.name}:{number}"
        try:
            body = json.loads(line)
            charter = body.pop("charter", None)
            found.append(EvaluationItem.model_validate(body))
        except (ValueError, AttributeError, TypeError) as error:
            faults.append(Fault(where=where, expected="an evaluation item as JSON",
                                seen=" ".join(str(error).split())[:120]))  # fmt: skip
            continue
        faults += _of_another(charter, where, digest)
    return tuple(found)


def _of_another(seen: object, where: str, charter: Digest) -> list[Fault]:
    """A fault if a file was made of another charter."""
    if seen == charter:
        return []
    do = "The file was made of another charter; enact it again."
    return [Fault(where=where, expected=charter, seen=str(seen), do=do)]


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
