"""Turns JSON and YAML text into checked data, and says what is wrong by file, line and field."""

from onecore.schema.document import Document
from onecore.schema.load import load_file, load_text
from onecore.schema.validate import validate, validate_value

__all__ = ["Document", "load_file", "load_text", "validate", "validate_value"]
