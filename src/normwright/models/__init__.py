"""A language model as an object: local weights, scripted stand-ins, one protocol for all."""

from normwright.models.protocol import Model, Scorer
from normwright.models.remembered import Remembered
from normwright.models.scripted import ScriptedModel

__all__ = ["Model", "Remembered", "Scorer", "ScriptedModel"]
