"""Settings of `sft`."""

from __future__ import annotations

from normwright.flow.tunings.tuning import Tuning


class Imitation(Tuning):
    """Instruction tuning on demonstrations."""

    packing: bool = False
    """Lay rows behind one another instead of padding each; they do not see each other."""
