"""The door to a server: the REST API of spec/003 and the later routes of OneFlow."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from onecore.clock import Clock, SystemClock
from onecore.document import Document
from onecore.errors import TIMED_OUT, NotFound
from onecore.history import Event
from oneflow.cli.door import Progress
from oneflow.cli.settled import progress_of, stopped
from oneflow.model.document import Kind

if TYPE_CHECKING:
    from onecore.http.client import Client
    from oneflow.usecases.jobs import Batch
    from oneflow.usecases.services import Scale

_PATHS = {Kind.SERVICE: "/service", Kind.TEMPLATE: "/service_template", Kind.VM_TEMPLATE: "/vm_template"}
_LOOK_S = 0.5


class RemoteDoor:
    """See Door. `wait_timeout_s`: how long to wait for a service at the longest."""

    def __init__(
        self, client: "Client", wait_timeout_s: float | None = None, clock: Clock | None = None
    ) -> None:
        self._client = client
        self._wait_timeout_s = wait_timeout_s
        self._clock = clock or SystemClock()

    # -- documents -----------------------------------------------------------------------------------------

    def listed(self, kind: Kind, brief: bool = False) -> Document:
        return self._document("GET", _PATHS[kind])

    def shown(self, kind: Kind, number: int) -> Document:
        return self._document("GET", f"{_PATHS[kind]}/{number}")

    def create(self, kind: Kind, data: object) -> Document:
        return self._document("POST", _PATHS[kind], data)

    def update(self, kind: Kind, number: int, data: object, append: bool = False) -> None:
        import json

        if append and kind is Kind.SERVICE:
            self._client.ask("PUT", f"/service/{number}", {"append": True, "template": json.dumps(data)})
        elif append and kind is Kind.TEMPLATE:
            self._perform(kind, number, "update", {"append": True, "template_json": json.dumps(data)})
        else:
            self._client.ask("PUT", f"{_PATHS[kind]}/{number}", data)

    def delete(self, kind: Kind, number: int, deep: bool = False) -> None:
        self._client.ask("DELETE", f"{_PATHS[kind]}/{number}", {"delete_type": "templates"} if deep else None)

    def rename(self, kind: Kind, number: int, name: str) -> None:
        self._perform(kind, number, "rename", {"name": name})

    def chown(self, kind: Kind, number: int, user: str, group: str | None) -> None:
        params = {"owner_id": user} | ({} if group is None else {"group_id": group})
        self._perform(kind, number, "chown", params)

    def chgrp(self, kind: Kind, number: int, group: str) -> None:
        self._perform(kind, number, "chgrp", {"group_id": group})

    def chmod(self, kind: Kind, number: int, mode: str) -> None:
        self._perform(kind, number, "chmod", {"octet": mode})

    def clone(self, number: int, name: str, deep: bool = False) -> Document:
        params = {"name": name, "recursive": "templates" if deep else "none"}
        found: Document = self._perform(Kind.TEMPLATE, number, "clone", params)
        return found

    def instantiate(self, number: int, changes: object) -> Document:
        params = {} if changes is None else {"merge_template": changes}
        found: Document = self._perform(Kind.TEMPLATE, number, "instantiate", params)
        return found

    # -- services ------------------------------------------------------------------------------------------

    def shutdown(self, number: int) -> None:
        self._perform(Kind.SERVICE, number, "shutdown", {})

    def recover(self, number: int, and_delete: bool = False) -> None:
        self._perform(Kind.SERVICE, number, "recover", {"delete": True} if and_delete else {})

    def release(self, number: int) -> None:
        self._perform(Kind.SERVICE, number, "release", {})

    def scale(self, number: int, asked: "Scale") -> None:
        wanted = {"role_name": asked.role, "cardinality": asked.cardinality, "force": asked.force}
        chosen = {"victims": list(asked.victims)} if asked.victims else {}
        self._client.ask("POST", f"/service/{number}/scale", {**wanted, **chosen})

    def add_role(self, number: int, data: object) -> None:
        self._role_action(number, "add_role", data)

    def remove_role(self, number: int, role: str) -> None:
        self._role_action(number, "remove_role", role)

    def act(self, number: int, role: str | None, batch: "Batch") -> str:
        every = {"period": batch.period, "number": batch.number, "args": batch.args or None}
        params = {key: value for key, value in every.items() if value is not None}
        asked = _action(batch.action, params)
        part = "" if role is None else f"/role/{quote(role, safe='')}"
        said = self._client.ask("POST", f"/service/{number}{part}/action", asked)
        return str(said[1]) if isinstance(said, list) and len(said) > 1 else ""

    def cancel(self, number: int, job: int, role: str | None) -> None:
        part = "" if role is None else f"/role/{quote(role, safe='')}"
        self._client.ask("DELETE", f"/service/{number}{part}/sched_action/{job}")

    def purge_done(self) -> None:
        self._client.ask("POST", "/service_pool/purge_done")

    def log(self, number: int, after: int = 0) -> list[Event]:
        lines = self._document("GET", f"/service/{number}/log?after={after}")["log"]
        return [_event(number, line) for line in lines]

    def explain(self, number: int) -> list[str]:
        lines: list[str] = self._document("GET", f"/service/{number}/explain")["lines"]
        return lines

    def token(self, vm: int) -> tuple[str, str]:
        answer = self._document("GET", f"/vm/{vm}/token")
        return str(answer["token"]), str(answer["endpoint"])

    # -- waiting -------------------------------------------------------------------------------------------

    def progress(self, number: int) -> Progress | None:
        try:
            body = self.shown(Kind.SERVICE, number)["DOCUMENT"]["TEMPLATE"]["BODY"]
        except NotFound:
            return None
        errors = [_event(number, line) for line in body.get("log", []) if line["severity"] == "E"]
        return progress_of(number, body, bool(body.get("sched_actions")), errors)

    def carry_out(self, numbers: Sequence[int], wait: bool | None) -> None:
        if not wait:
            return
        limit = float("inf") if self._wait_timeout_s is None else self._wait_timeout_s
        until = self._clock.monotonic() + limit
        try:
            while not all(seen is None or seen.settled for seen in map(self.progress, numbers)):
                if self._clock.monotonic() >= until:
                    raise stopped(TIMED_OUT, numbers)
                self._clock.sleep(min(_LOOK_S, max(until - self._clock.monotonic(), 0.0)))
        except KeyboardInterrupt:
            raise stopped("SIGINT", numbers) from None

    def _perform(self, kind: Kind, number: int, action: str, params: dict[str, Any]) -> Any:
        return self._client.ask("POST", f"{_PATHS[kind]}/{number}/action", _action(action, params))

    def _role_action(self, number: int, action: str, role: object) -> None:
        self._client.ask("POST", f"/service/{number}/role_action", _action(action, {"role": role}))

    def _document(self, method: str, path: str, data: object = None) -> Document:
        answer: Document = self._client.ask(method, path, data)
        return answer


def _action(perform: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"action": {"perform": perform, "params": params}}


def _event(number: int, line: dict[str, Any]) -> Event:
    return Event(
        id=int(line.get("id", 0)),
        subject=f"service/{number}",
        at=float(line["timestamp"]),
        level=line["severity"],
        action=line["message"],
        text=line.get("reason", ""),
    )
