"""Providers: accounts that drivers work on, as documents of type 103 (reference 2 and 4)."""

from typing import Any, Final

from onecore.access import Right
from onecore.deps import Deps
from onecore.http.operation import Call, Operation, Work
from oneprovision.api import schemas
from oneprovision.api.reading import body_of, flag, present
from oneprovision.model import provider as forms
from oneprovision.model.folder import PREFIX
from oneprovision.usecases import folder_drivers, provider_documents, providers


def index(call: Call[Deps]) -> object:
    """Secrets of those alone whose secrets the asker may see. `enabled`: whose driver may be used."""
    deps, wanted = call.context, flag(call, "include_sensitive")
    off = folder_drivers.off(deps) if flag(call, "enabled") else frozenset[str]()
    return [
        provider_documents.document(deps, each.id, wanted and provider_documents.may_see_secrets(deps, each))
        for each in provider_documents.every(deps)
        if each.driver not in off
    ]


def show(call: Call[Deps]) -> object:
    return provider_documents.document(call.context, call.number(), flag(call, "include_sensitive"))


def inputs(call: Call[Deps]) -> object:
    """What its account consists of (reference 8)."""
    provider = provider_documents.allowed(call.context, call.number(), Right.USE)
    return [each.to_document() for each in providers.asked(call.context, provider.driver)]


def path(call: Call[Deps]) -> object:
    provider = provider_documents.allowed(call.context, call.number(), Right.USE)
    return {"path": str(call.context.catalog.get(provider.driver).path)}


def create(call: Call[Deps]) -> object:
    """Where a driver folder and a pm driver share the name, OneForm means the folder."""
    body = body_of(call, schemas.CREATE_PROVIDER)
    driver = body["driver"].lower()
    folders = {each.name for each in folder_drivers.every(call.context)}
    form = forms.parse(
        {
            "driver": PREFIX + driver if driver in folders else driver,
            "name": body.get("name") or driver,
            "description": body.get("description", ""),
            "connection": body.get("connection_values", {}),
            **({"parameters": body["parameters"]} if "parameters" in body else {}),
        }
    )
    return provider_documents.document(call.context, providers.create(call.context, form).id)


def update(call: Call[Deps]) -> object:
    body = body_of(call, schemas.UPDATE_PROVIDER)
    said: dict[str, Any] = {key: body[key] for key in _CHANGEABLE if key in body}
    providers.update(call.context, call.number(), forms.parse(said))
    return provider_documents.document(call.context, call.number())


def chmod(call: Call[Deps]) -> None:
    providers.chmod(call.context, call.number(), body_of(call, schemas.OCTET)["octet"])


def chown(call: Call[Deps]) -> None:
    body = body_of(call, schemas.OWNER)
    providers.chown(call.context, call.number(), str(body["owner_id"]), group_of(body))


def chgrp(call: Call[Deps]) -> None:
    providers.chown(call.context, call.number(), None, str(body_of(call, schemas.GROUP)["group_id"]))


def delete(call: Call[Deps]) -> None:
    providers.delete(call.context, call.number())


def group_of(body: dict[str, Any]) -> str | None:
    """-1 leaves the group as it is (reference 2)."""
    group = body.get("group_id")
    return None if group is None or str(group) == "-1" else str(group)


_CHANGEABLE = ("name", "description", "connection", "parameters")
_ALL, _ONE, _W = "/providers", "/providers/{id}", Work.WRITE
_SHOWN = ("include_sensitive",)

OPERATIONS: Final[tuple[Operation[Deps], ...]] = (
    Operation(
        "GET",
        _ALL,
        index,
        "List the providers",
        Work.ASK,
        answer=schemas.DOCUMENTS,
        query=(*_SHOWN, "enabled"),
    ),
    Operation(
        "POST",
        _ALL,
        create,
        "Create a provider",
        _W,
        201,
        schemas.CREATE_PROVIDER,
        schemas.DOCUMENT,
        read=present,
    ),
    Operation("GET", _ONE, show, "Show a provider", Work.ASK, answer=schemas.DOCUMENT, query=_SHOWN),
    Operation(
        "GET", f"{_ONE}/inputs", inputs, "What its account consists of", Work.ASK, answer=schemas.OBJECTS
    ),
    Operation("GET", f"{_ONE}/path", path, "Where its driver is", Work.ASK, answer=schemas.PATH),
    Operation(
        "PATCH",
        _ONE,
        update,
        "Change name, description or connection",
        _W,
        200,
        schemas.UPDATE_PROVIDER,
        schemas.DOCUMENT,
        read=present,
    ),
    Operation("POST", f"{_ONE}/chmod", chmod, "Change who may use it", _W, 204, schemas.OCTET, read=present),
    Operation("POST", f"{_ONE}/chown", chown, "Give it to a user", _W, 204, schemas.OWNER, read=present),
    Operation("POST", f"{_ONE}/chgrp", chgrp, "Give it to a group", _W, 204, schemas.GROUP, read=present),
    Operation("DELETE", _ONE, delete, "Forget a provider that nothing uses", _W, 204),
)
