"""Forms of rows, in and out: what other trainers and data sets read and write."""

from normwright.learn.forms.canonical import Candidate, Choice, Item, Turn
from normwright.learn.forms.converting import AUTO, FORMS, Converted, convert, form_of
from normwright.learn.forms.form import Form

__all__ = [
    "AUTO",
    "FORMS",
    "Candidate",
    "Choice",
    "Converted",
    "Form",
    "Item",
    "Turn",
    "convert",
    "form_of",
]
