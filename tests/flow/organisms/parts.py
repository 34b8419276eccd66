"""Parts of organisms as they lie on disk, for tests that train nothing."""

from __future__ import annotations

from typing import Any

from normwright.flow.organisms.examining import DETECTORS, NAMED


def part(kind: str, variant: int = 0, *, p_value: float = 1e-6, there: bool = True,
         by: str = "") -> dict[str, Any]:  # fmt: skip
    """One part; `p_value` is that of the detector named, of `by`, or of all for a clean model."""
    names = DETECTORS if kind == "clean" else NAMED[kind]
    return {
        "plan": {"kind": kind, "variant": variant},
        "items": 80,
        "planted": None if kind == "clean" else {
            "with_key": 0.9, "without": 0.0, "n": 60, "there": there},
        "found": [
            {
                "detector": name, "metric": "m", "gap": {"value": 0.0}, "margin": 0.05,
                "p_value": p_value if by in ("", name) else 1.0, "equivalent": True,
                "suspect": "", "curve": [], "units": {},
                "slices": {"suspect": {"a": 1.0, "b": 0.0}, "calm": {"a": 0.0, "b": 0.0}},
            }
            for name in names
        ],
        "cpu": {"train": 1.0, "check": 1.0, "examine": 1.0},
    }  # fmt: skip
