"""The application: every operation of OneFlow behind the shared edge."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from starlette.types import ASGIApp

from onecore.errors import OneError, WrongState
from onecore.http import openapi
from onecore.http.basic import basic_edge
from onecore.http.journal import Log
from onecore.http.manner import Manner
from onecore.http.operation import Call, Operation, Work
from onecore.http.workers import Workers
from oneflow.api import schemas, services, templates, vm_templates, vms
from oneflow.deps import FlowDeps
from oneflow.usecases import people

BAD_REQUEST: Final = 400


def error_body(error: OneError) -> object:
    """spec/003, Return Codes; the hint is ours."""
    hint = {"hint": error.hint} if error.hint else {}
    return {"error": {"message": error.message, **hint}}


def status_of(error: OneError) -> int:
    """spec/003 knows no 409: what a state does not allow is a 400, with the state (reference 14)."""
    return BAD_REQUEST if isinstance(error, WrongState) else error.http_status


SPEAKS: Final = Manner("OneFlow", error_body, status_of)

OFFERED: Final[Sequence[Operation[FlowDeps]]] = (
    *services.OPERATIONS,
    *templates.OPERATIONS,
    *vm_templates.OPERATIONS,
    *vms.OPERATIONS,
)


def described() -> dict[str, Any]:
    """The OpenAPI document."""
    from importlib.metadata import version  # lazy: reads files

    return openapi.document("OneFlow", version("onesuite"), operations(), schemas.ERROR)


def operations() -> tuple[Operation[FlowDeps], ...]:
    def show(call: Call[FlowDeps]) -> object:
        return described()

    about = Operation(
        "GET", "/openapi.json", show, "This description", Work.READ, answer={"type": "object"}, is_open=True
    )
    return (*OFFERED, about)


def application(workers: Workers[FlowDeps], log: Log, changed: Callable[[], None]) -> ASGIApp:
    """`changed` is told after each write."""
    elsewhere = None if workers.here.nebula is None else people.admit
    return basic_edge(workers, SPEAKS, log, changed, elsewhere).app(operations())
