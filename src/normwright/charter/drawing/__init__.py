"""Cases without limit, decided by the resolver: to learn from, to compare, to evaluate with."""

from normwright.charter.drawing.drawing import VERDICTS, Drawing, DrawnCase, cases

__all__ = ["VERDICTS", "Drawing", "DrawnCase", "cases"]
