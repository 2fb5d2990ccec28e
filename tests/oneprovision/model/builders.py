"""Templates, contexts and scopes with sensible defaults for the tests."""

from onecore.schema import Document, load_text
from oneprovision.model.context import Context
from oneprovision.model.interpolate import Scope
from oneprovision.model.template import prepare


def a_document(text: str, name: str = "cluster.yaml") -> Document:
    return load_text(text, name)


def a_template(text: str = "name: web", *sets: str) -> dict[str, object]:
    return prepare([a_document(text)], sets)


def a_context(**changed) -> Context:
    return Context(**{"name": "web", "provision_id": 7, "default_driver": "dummy", **changed})


def a_scope(**changed) -> Scope:
    return Scope(**{"name": "web", "provision_id": 7, "inputs": {"n": 3, "zones": ["a", "b"]}, **changed})
