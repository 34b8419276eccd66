"""A guard in front of any model: it speaks as OpenAI does, and its refusals can be questioned."""

from normwright.web.guard.app import application
from normwright.web.guard.held import Guarding
from normwright.web.guard.settings import Limits, ServeSettings, check_upstream, keys_of

__all__ = ["Guarding", "Limits", "ServeSettings", "application", "check_upstream", "keys_of"]
