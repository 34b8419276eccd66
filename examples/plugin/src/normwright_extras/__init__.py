"""Plug-ins for Normwright that live in a distribution of their own."""
