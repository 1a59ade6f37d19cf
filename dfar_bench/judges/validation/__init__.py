"""Answers whose truth is known: what real models wrote to statements of our own, and what was written by hand."""
