"""Provisions: create, look, edit, forget, as documents of type 104 (reference 2 and 3)."""

import json
from base64 import b64encode
from contextlib import suppress
from typing import Any, Final

from onecore.deps import Deps
from onecore.document import Document
from onecore.errors import InvalidInput, NotAuthorized, NotFound
from onecore.http.operation import Call, Operation, Work
from oneprovision.api import schemas
from oneprovision.api.providers import group_of
from oneprovision.api.reading import body_of, effort_of, flag, present
from oneprovision.model.provision import Options
from oneprovision.usecases import editing, oneform, provider_documents, provisions, reading, removal, visible
from oneprovision.usecases.oneform import CreateFromFolder
from oneprovision.usecases.provisions import CreateProvision


def index(call: Call[Deps]) -> object:
    pool = reading.pool(call.context, visible.every(call.context, flag(call, "all")))
    return [_completed(call, {"DOCUMENT": each}) for each in pool["DOCUMENT_POOL"]["DOCUMENT"]]


def show(call: Call[Deps]) -> object:
    return _completed(call, reading.document(call.context, call.number()))


def create(call: Call[Deps]) -> object:
    """From a driver folder, or (ours) from a `template` as `oneprovision create FILE` takes it."""
    body = body_of(call, schemas.CREATE)
    if "template" in body:
        return _document(call, _from_template(call.context, body))
    missing = [key for key in ("driver", "deployment_type", "provider_id") if not _is_said(body, key)]
    if missing and missing != ["provider_id"]:  # whether it takes an account, the driver says
        raise InvalidInput(f"'{missing[0]}' is missing", context={key: ["is missing"] for key in missing})
    request = CreateFromFolder(
        driver=body["driver"].lower(),
        deployment=body["deployment_type"].lower(),
        provider_id=body.get("provider_id"),
        values=body.get("user_inputs_values", {}),
        name=body.get("name", ""),
        description=body.get("description", ""),
        options=Options(**effort_of(body)),  # type: ignore[arg-type]  # each checked by the schema
    )
    return _document(call, oneform.create(call.context, request).id)


def update(call: Call[Deps]) -> object:
    """What clients send back as they got it says nothing; of the rest, name, description and tags change."""
    body = body_of(call, schemas.UPDATE)
    before = reading.document(call.context, call.number())["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]
    fixed = [key for key in _FIXED if key in body and body[key] != before.get(key)]
    if fixed:
        raise InvalidInput(
            f"'{fixed[0]}' of a provision cannot be updated",
            hint="scale it; name, description and tags can be",
        )
    editing.update(
        call.context,
        call.number(),
        {key: body[key] for key in ("name", "description", "tags") if key in body},
    )
    return show(call)


def delete(call: Call[Deps]) -> None:
    """Forget one that is DONE. `force`: remove everything; `from_db`: forget the records alone."""
    force, from_db = flag(call, "force"), flag(call, "from_db")
    body: dict[str, Any] = body_of(call, schemas.UNDEPLOY) if call.data is not None else {}
    removal.asked_to_delete(call.context, call.number(), force or body.get("force", False), from_db)


def chmod(call: Call[Deps]) -> None:
    editing.chmod(call.context, call.number(), body_of(call, schemas.OCTET)["octet"])


def chown(call: Call[Deps]) -> None:
    body = body_of(call, schemas.OWNER)
    editing.chown(call.context, call.number(), str(body["owner_id"]), group_of(body))


def chgrp(call: Call[Deps]) -> None:
    editing.chgrp(call.context, call.number(), str(body_of(call, schemas.GROUP)["group_id"]))


def inputs(call: Call[Deps]) -> object:
    return _body(call)["user_inputs_values"]


def tfstate(call: Call[Deps]) -> object:
    """Base64 of it as OneForm keeps it; `decode`: as JSON (reference 8)."""
    text = oneform.state(call.context, call.number())
    return {"tfstate": json.loads(text) if flag(call, "decode") else b64encode(text.encode()).decode()}


def objects(kind: str) -> Any:
    """What reads one kind of its objects (reference 8)."""
    return lambda call: _body(call)["one_objects"][kind]


def _from_template(deps: Deps, body: dict[str, Any]) -> int:
    from onecore.schema import load_text  # lazy: brings the readers of templates
    from oneprovision.model.template import prepare

    if "extends" in body["template"]:
        raise InvalidInput("'extends' names files of the client; send the whole template")
    template = prepare([load_text(json.dumps(body["template"]), "template.json")])
    if body.get("description"):
        template["description"] = body["description"]
    options = Options(**effort_of(body))  # type: ignore[arg-type]  # each checked by the schema
    request = CreateProvision(template, body.get("name", ""), body.get("provider_id"), options)
    return provisions.create(deps, request).id


def _completed(call: Call[Deps], document: Document) -> Document:
    """`include_provider`: with the provider's document, for those who may use it."""
    body = document["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]
    if flag(call, "include_provider") and body["provider_id"] is not None:
        with suppress(NotAuthorized, NotFound):
            body["provider"] = provider_documents.document(call.context, body["provider_id"])["DOCUMENT"]
    return document


def _document(call: Call[Deps], number: int) -> object:
    return reading.document(call.context, number)


def _body(call: Call[Deps]) -> dict[str, Any]:
    document: dict[str, Any] = reading.document(call.context, call.number())["DOCUMENT"]
    body: dict[str, Any] = document["TEMPLATE"]["PROVISION_BODY"]
    return body


def _is_said(body: dict[str, Any], key: str) -> bool:
    return body.get(key) not in (None, "")


_SHOWN = ("include_provider",)
_FIXED = ("user_inputs_values", "one_objects", "onedeploy_tags")
_ALL, _ONE = "/provisions", "/provisions/{id}"
# A provision may have thousands of hosts: rendered beside the event loop.
_R, _W = Work.LIST, Work.WRITE
_EDITS = ((chmod, schemas.OCTET), (chown, schemas.OWNER), (chgrp, schemas.GROUP))

OPERATIONS: Final[tuple[Operation[Deps], ...]] = (
    Operation(
        "GET", _ALL, index, "List the provisions", Work.LIST, answer=schemas.DOCUMENTS, query=("all", *_SHOWN)
    ),
    Operation(
        "POST",
        _ALL,
        create,
        "Create a provision; the work goes on after the answer",
        Work.SLOW,
        201,
        schemas.CREATE,
        schemas.DOCUMENT,
        read=present,
    ),
    Operation("GET", _ONE, show, "Show a provision", _R, answer=schemas.DOCUMENT, query=_SHOWN),
    Operation(
        "PATCH",
        _ONE,
        update,
        "Change name, description or tags",
        _W,
        200,
        schemas.UPDATE,
        schemas.DOCUMENT,
        read=present,
    ),
    Operation(
        "DELETE",
        _ONE,
        delete,
        "Forget a provision that is DONE; force: remove everything; from_db: forget the records alone",
        Work.SLOW,
        204,
        query=("force", "from_db"),
    ),
    Operation(
        "GET",
        f"{_ONE}/tfstate",
        tfstate,
        "Its OpenTofu state, for the group oneadmin; base64, or decoded",
        Work.ASK,
        answer=schemas.OBJECT,
        query=("decode",),
    ),
    Operation("GET", f"{_ONE}/inputs", inputs, "The values it was made from", _R, answer=schemas.OBJECT),
    *(
        Operation(
            "GET",
            f"{_ONE}/{kind}",
            objects(kind),
            f"Its {kind}",
            _R,
            answer=schemas.OBJECT if kind == "cluster" else schemas.OBJECTS,
        )
        for kind in ("cluster", "hosts", "networks", "datastores")
    ),
    *(
        Operation(
            "POST", f"{_ONE}/{edit.__name__}", edit, f"As {edit.__name__} does", _W, 204, schema, read=present
        )
        for edit, schema in _EDITS
    ),
)
