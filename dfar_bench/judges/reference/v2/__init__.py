"""A small encoder behind the parser of verdicts, fitted to labelled answers of real models."""

CLASSES = ("ethical", "unethical", "off_topic", "generic")
"""What a response argues for: a label, or neither, because its reasons are beside the point or fit anything."""
