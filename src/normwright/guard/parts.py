"""What a guard decides with, by digest, so that no verdict is ascribed to other weights.

A policy's digest says which norms were in force, not which detector saw what they speak about. With
other weights the same policy gives other verdicts; so they name both.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from normwright import __version__
from normwright.guard.text_harm.reader import TextHarm
from normwright.models.judges import Judge
from normwright.records import Digest, digest_bytes, digest_json

if TYPE_CHECKING:
    from normwright.guard.detectors import Detectors, Pattern
    from normwright.guard.screen import Screener
    from normwright.guard.sights import Kit


def parts_of(
    kit: Kit, *, checks: Sequence[str], settings: Mapping[str, Any], scenes: Screener | None
) -> dict[str, Any]:
    """Return everything but the policy that a guard's verdicts hang on, in plain values.

    Args:
        kit: what its checks use.
        checks: their names.
        settings: what a deployment has set, in plain values.
        scenes: what was fitted on a project's own scenes.
    """
    found: dict[str, Any] = {
        "program": f"normwright {__version__}",
        "checks": list(checks),
        "detectors": detectors_digest(kit.detectors),
        "settings": digest_json(dict(settings)),
    }
    if kit.harm is not None:
        # One that tells no digest is named by its kind: nobody can say more about it.
        unnamed = f"unnamed {type(kit.harm).__name__}"
        found["classifier"] = kit.harm.digest if isinstance(kit.harm, TextHarm) else unnamed
    if scenes is not None:
        found["scenes"] = scenes_digest(scenes)
    if kit.judge is not None:
        unnamed = f"unnamed {kit.judge.name}"
        found["judge"] = kit.judge.digest if isinstance(kit.judge, Judge) else unnamed
    if kit.reward is not None:
        reward = kit.reward
        found["reward"] = reward.digest
        if reward.norm is not None:
            found["reward-bound"] = f"{reward.norm} under {reward.least:g}"
    return found


def detectors_digest(detectors: Detectors) -> Digest:
    """Return the digest of signals, patterns and labels."""
    signals = [_plain(dataclasses.asdict(one)) for _, one in sorted(detectors.signals.items())]
    return digest_json(
        {
            "signals": signals,
            "patterns": [_pattern(one) for one in detectors.patterns],
            "labels": dict(detectors.labels),
        }
    )


def scenes_digest(scenes: Screener) -> Digest:
    """Return the digest of the heads that were fitted on a project's scenes, and of its rules."""
    harm = scenes.harm
    arrays: list[NDArray[Any]] = [harm.bias]
    for side in (harm.asked, harm.around, harm.answered, harm.spoken):
        arrays += [side.columns, side.weights]
    heads = [[h.name, h.slope, h.offset, h.threshold] for h in harm.heads]
    return digest_json(
        {
            "weights": [digest_bytes(np.ascontiguousarray(a).tobytes()) for a in arrays],
            "heads": heads,
            "rules": digest_bytes(repr(scenes.rules).encode()),
        }
    )


def _pattern(one: Pattern) -> Any:
    return _plain(
        {
            "id": one.id,
            "signal": one.signal,
            "chance": one.chance,
            "lang": one.lang,
            "any": [e.source for e in one.any],
            "unless": [e.source for e in one.unless],
            "sides": one.sides,
            "roles": one.roles,
            "encoded": one.encoded,
            "quoted": one.quoted,
        }
    )


def _plain(value: Any) -> Any:
    """Return a value with sets in order, as canonical JSON takes it."""
    match value:
        case frozenset() | set():
            return sorted(value)
        case dict():
            return {k: _plain(v) for k, v in value.items()}
        case list() | tuple():
            return [_plain(v) for v in value]
        case _:
            return value
