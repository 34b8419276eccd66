"""Norms that come from other documents, and charters that go to other engines."""

from normwright.charter.exchange.cedar import Cedar, Unsaid, to_cedar
from normwright.charter.exchange.drafting import model_spec_files
from normwright.charter.exchange.model_spec import LEVELS, ModelSpec, read_model_spec
from normwright.charter.exchange.seeds import seed_files

__all__ = [
    "LEVELS",
    "Cedar",
    "ModelSpec",
    "Unsaid",
    "model_spec_files",
    "read_model_spec",
    "seed_files",
    "to_cedar",
]
