"""OneGate (reference 10): VMs report what they are and ask about their service, with a token each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import ASGIApp

from onecore.errors import InvalidInput
from onecore.http.edge import Edge
from onecore.http.journal import Log
from onecore.http.manner import Manner, unauthorized
from onecore.http.operation import Call, Operation, Work
from onecore.http.request import Headers
from onecore.http.workers import Workers
from onecore.schema.load import load_json
from oneflow.api import schemas
from oneflow.api.actions import asked
from oneflow.api.app import error_body, status_of
from oneflow.deps import FlowDeps
from oneflow.model.checked import checked
from oneflow.usecases import gate

SPEAKS: Final = Manner("OneGate", error_body, status_of)
ATTRIBUTES: Final = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
SET, ERASE = 1, 2
NEEDED = "X-ONEGATE-VMID and X-ONEGATE-TOKEN must be provided"


@dataclass(frozen=True)
class Asker:
    """The VM `me` asks."""

    deps: FlowDeps
    me: int


def application(workers: Workers[FlowDeps], log: Log, changed: Callable[[], None]) -> ASGIApp:
    """`changed` is told after each write."""
    deps = workers.here

    async def admit(headers: Headers, peer: str, version: int) -> int:
        vm_id = headers.get(b"x-onegate-vmid", b"").decode("latin-1").strip()
        token = headers.get(b"x-onegate-token", b"").decode("latin-1").strip()
        if not vm_id or not token:
            raise unauthorized(NEEDED)
        with deps.database.read() as tx:
            return gate.admitted(tx, deps.settings, vm_id, token).id

    def asking(deps: FlowDeps, me: int | None) -> Asker:
        return Asker(deps, -1 if me is None else me)

    return Edge(workers, admit, asking, SPEAKS, log, changed).app(OPERATIONS)


def text_of(body: bytes) -> str:
    try:
        return body.decode().strip()
    except UnicodeDecodeError as exc:
        raise InvalidInput("the body is not UTF-8 text") from exc


def names(text: str) -> list[str]:
    """Names of attributes, one or more. Raises InvalidInput."""
    found = [name.upper() for name in text.split()]
    if not found:
        raise InvalidInput("the body names no attribute")
    return found


def attributes(text: str) -> dict[str, str]:
    """`KEY=VALUE` lines, or a JSON object of texts and numbers. Raises InvalidInput."""
    pairs = _of_json(text) if text.startswith("{") else _of_lines(text)
    if not pairs:
        raise InvalidInput("the body has no KEY=VALUE line")
    return {name.strip().upper(): value for name, value in pairs.items()}


def _of_json(text: str) -> dict[str, str]:
    data: Any = load_json(text, "body")
    wrong = [name for name, value in data.items() if isinstance(value, dict | list)]
    if wrong:
        raise InvalidInput(f"the value of {wrong[0][:64]!r} is neither text nor a number")
    return {name: _text(value) for name, value in data.items()}


def _of_lines(text: str) -> dict[str, str]:
    pairs = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.partition("=")
        if not line.strip():
            continue
        if not equals:
            raise InvalidInput(f"line {number} of the body is not KEY=VALUE")
        value = value.strip()
        quoted = len(value) > 1 and value[0] == value[-1] == '"'
        pairs[name] = value[1:-1].replace('\\"', '"') if quoted else value
    return pairs


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "YES" if value else "NO"
    return "" if value is None else str(value)


def show_own(call: Call[Asker]) -> object:
    return gate.shown(call.context.deps, call.context.me, call.context.me)


def show(call: Call[Asker]) -> object:
    return gate.shown(call.context.deps, call.context.me, call.number())


def report_own(call: Call[Asker]) -> None:
    _report(call, call.context.me)


def report(call: Call[Asker]) -> None:
    _report(call, call.number())


def _report(call: Call[Asker], vm: int) -> None:
    """`?type=2` erases, as OneGate's client asks with `onegate vm update --erase NAME`."""
    body: Any = call.data
    deps, me, kind = call.context.deps, call.context.me, call.whole("type", SET)
    if kind == SET:
        gate.report(deps, me, vm, attributes(body))
    elif kind == ERASE:
        gate.erase(deps, me, vm, names(body))
    else:
        raise InvalidInput(f"'type' is {SET} to set attributes or {ERASE} to erase them, not {kind}")


def act(call: Call[Asker]) -> None:
    name, _ = asked(call.data)
    gate.act(call.context.deps, call.context.me, call.number(), name)


def service(call: Call[Asker]) -> object:
    return gate.service(call.context.deps, call.context.me)


def scale(call: Call[Asker]) -> None:
    body = checked(call.data, schemas.SCALE_ROLE, "body")
    gate.scale(call.context.deps, call.context.me, call.path["name"], body["cardinality"])


OPERATIONS: Final[tuple[Operation[Asker], ...]] = (
    Operation("GET", "/vm", show_own, "The VM that asks", Work.READ, answer=schemas.VM),
    Operation(
        "PUT",
        "/vm",
        report_own,
        "Report READY=YES and metrics; erase them",
        Work.WRITE,
        200,
        ATTRIBUTES,
        query=("type",),
        read=text_of,
    ),
    Operation("GET", "/service", service, "The service of the VM", Work.READ, answer=schemas.GATE_SERVICE),
    Operation(
        "PUT",
        "/service/role/{name}",
        scale,
        "Scale a role of the service",
        Work.WRITE,
        200,
        schemas.SCALE_ROLE,
    ),
    Operation("GET", "/vms/{id}", show, "A VM of the service", Work.READ, answer=schemas.VM),
    Operation(
        "PUT",
        "/vms/{id}",
        report,
        "Report for a VM of the service",
        Work.WRITE,
        200,
        ATTRIBUTES,
        query=("type",),
        read=text_of,
    ),
    Operation("POST", "/vms/{id}/action", act, "Act on a VM of the service", Work.WRITE, 201, schemas.ACTION),
)
