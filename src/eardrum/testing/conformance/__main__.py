"""Prints the table of differences."""

from eardrum.testing.conformance.table import markdown

print(markdown(), end="")
