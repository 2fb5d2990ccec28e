"""The application: every operation of OneForm behind the shared edge."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from starlette.types import ASGIApp

from onecore.deps import Deps
from onecore.errors import NotAuthorized, OneError, WrongState
from onecore.http import openapi
from onecore.http.basic import basic_edge
from onecore.http.journal import Log
from onecore.http.manner import Manner
from onecore.http.operation import Call, Operation, Work
from onecore.http.workers import Workers
from oneprovision.api import acting, drivers, logs, providers, provisions, schemas

BASE: Final = "/api/v1"
NOT_ALLOWED: Final = 405


def error_body(error: OneError) -> object:
    """Reference 2, error body; the hint is ours."""
    context = {"context": error.context} if error.context else {}
    hint = {"hint": error.hint} if error.hint else {}
    return {"err_code": status_of(error), "message": error.message, **context, **hint}


def status_of(error: OneError) -> int:
    """What a state does not allow, or somebody at work, is a 405 (reference 2, EACTION)."""
    return NOT_ALLOWED if isinstance(error, WrongState) else error.http_status


SPEAKS: Final = Manner("OneForm", error_body, status_of)


def described() -> dict[str, Any]:
    """The OpenAPI document."""
    return openapi.document("OneForm", _version(), operations(), schemas.ERROR)


def operations() -> tuple[Operation[Deps], ...]:
    def show(call: Call[Deps]) -> object:
        return described()

    about = Operation(
        "GET", "/openapi.json", show, "This description", Work.READ, answer={"type": "object"}, is_open=True
    )
    return (*map(_based, OFFERED), about)


def application(workers: Workers[Deps], log: Log, changed: Callable[[], None]) -> ASGIApp:
    """`changed` is told after each write."""
    return basic_edge(workers, SPEAKS, log, changed).app(operations())


def banner(call: Call[Deps]) -> object:
    return {"name": "OneForm", "version": _version()}


OFFERED: Final[Sequence[Operation[Deps]]] = (
    Operation("GET", "/", banner, "Who answers", Work.READ, answer=schemas.OBJECT),
    *drivers.OPERATIONS,
    *providers.OPERATIONS,
    *provisions.OPERATIONS,
    *acting.OPERATIONS,
    *logs.OPERATIONS,
)


def _based(operation: Operation[Deps]) -> Operation[Deps]:
    path = BASE + operation.path
    if operation.method == "GET":
        return replace(operation, path=path)
    return replace(operation, path=path, perform=_for_admins(operation.perform))


def _for_admins(perform: Callable[[Call[Deps]], object]) -> Callable[[Call[Deps]], object]:
    """Reference 2: whatever changes something is for the group oneadmin."""

    def performed(call: Call[Deps]) -> object:
        if not call.context.principal.is_admin:
            raise NotAuthorized("only members of the group oneadmin may change anything", hint="ask oneadmin")
        return perform(call)

    return performed


def _version() -> str:
    from importlib.metadata import version  # lazy: reads files

    return version("onesuite")
