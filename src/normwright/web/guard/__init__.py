"""A guard in front of any model: an OpenAI-compatible proxy whose refusals a citizen can question."""

from normwright.web.guard.app import application
from normwright.web.guard.desk import Guarding
from normwright.web.guard.settings import Limits, ServeSettings, check_upstream, keys_of

__all__ = ["Guarding", "Limits", "ServeSettings", "application", "check_upstream", "keys_of"]
