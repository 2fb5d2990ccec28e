"""The inventory templates of a deployment: their headers, and the objects that they describe."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onecore.errors import InvalidInput
from oneprovision.model.folder import Deployment, Input
from oneprovision.model.hcl import match_of
from oneprovision.model.shapes import mapping_at, mappings_at, text_of

Objects = Mapping[str, list[dict[str, object]]]


def parse_template(path: Path, text: str) -> Deployment:
    """The deployment of a `.j2` file; its header is the YAML of its first comment."""
    header = _header(path, text)
    return Deployment(
        name=path.stem,
        path=path,
        text=text,
        title=text_of(header.get("name")) or path.stem,
        description=text_of(header.get("description")).strip(),
        onedeploy_tags=text_of(header.get("onedeploy_tags")),
        inputs=tuple(
            _input(entry, f"{path.name}: user_inputs[{at}]")
            for at, entry in enumerate(mappings_at(header.get("user_inputs"), ("user_inputs",)))
        ),
    )


def objects(deployment: Deployment, values: Mapping[str, object]) -> Objects:
    """The datastores and networks of the inventory, each with name and template. What is only known later
    (the hosts, the ids) is empty here."""
    inventory = rendered(deployment, {"user_inputs": dict(values), "one": {"nodes": [], "network_ids": {}}})
    everything = mapping_at(inventory.get("all"), ("all",))
    given = mapping_at(everything.get("vars"), ("all", "vars"))
    stores = mapping_at(mapping_at(given.get("ds"), ("ds",)).get("config"), ("ds", "config"))
    return {
        "datastores": [
            {"name": name, **_template(entry, (kind, name))}
            for kind in ("SYSTEM_DS", "IMAGE_DS")
            for name, entry in mapping_at(stores.get(kind), (kind,)).items()
        ],
        "networks": [
            {"name": name, **_template(entry, ("vn", name))}
            for name, entry in mapping_at(given.get("vn"), ("vn",)).items()
        ],
    }


def rendered(deployment: Deployment, context: Mapping[str, object]) -> Mapping[str, object]:
    """The inventory as data. A value that the context lacks is empty; what a filter of Ansible's would do
    to a value is not done."""
    # lazy: only who makes something of a template needs the engine
    from jinja2 import ChainableUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    from onecore.schema import load_text

    environment = SandboxedEnvironment(undefined=ChainableUndefined, autoescape=False)
    environment.filters = _Filters(environment.filters)
    try:
        text = environment.from_string(deployment.text).render(**context)
    except TemplateError as exc:
        line = getattr(exc, "lineno", None)
        where = f"{deployment.path.name}:{line}" if line else deployment.path.name
        raise InvalidInput(f"{where}: the template cannot be rendered: {exc.message}") from exc
    return mapping_at(load_text(text, deployment.path.name).data, ())


class _Filters(dict[str, Any]):
    """The filters of Jinja; one that only Ansible has leaves its value as it is."""

    def __missing__(self, name: str) -> Any:
        return lambda value, *args, **kwargs: value

    def get(self, name: str, default: object = None) -> Any:
        return self[name]


def _header(path: Path, text: str) -> Mapping[str, object]:
    from jinja2 import Environment, TemplateSyntaxError  # lazy: as above

    from onecore.schema import load_text

    try:
        tokens = Environment(autoescape=True).lex(text)
        comment = next((value for _, kind, value in tokens if kind == "comment"), None)
    except TemplateSyntaxError as exc:
        raise InvalidInput(f"{path.name}:{exc.lineno}: this is no Jinja template: {exc.message}") from exc
    if comment is None:
        raise InvalidInput(
            f"{path.name}: the header is missing", hint="begin with {# name: …, description: … #} in YAML"
        )
    return mapping_at(load_text(comment, path.name).data, ())


def _input(entry: Mapping[str, object], where: str) -> Input:
    name = text_of(entry.get("name"))
    if not name:
        raise InvalidInput(f"{where}: the name is missing")
    default = entry.get("default")
    return Input(
        name=name,
        type=text_of(entry.get("type")) or "string",
        description=text_of(entry.get("description")),
        default=default,
        mandatory=entry.get("mandatory") is True and default is None,
        sensitive=entry.get("sensitive") is True,
        match=match_of(entry["match"], f"{where}: match") if entry.get("match") else None,
    )


def _template(entry: object, path: tuple[str, str]) -> dict[str, object]:
    template = dict(mapping_at(mapping_at(entry, path).get("template"), (*path, "template")))
    if isinstance(template.get("ar"), Mapping):
        template["ar"] = [template["ar"]]
    return {key: value for key, value in template.items() if key != "name"}
