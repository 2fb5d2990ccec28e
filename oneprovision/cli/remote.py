"""The door to the provisions of a server: OneForm's REST API, and our own words in it where it says less than
we know, which other servers leave alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from onecore.clock import Clock, SystemClock
from onecore.document import Document
from onecore.errors import TIMED_OUT, Interrupted, InvalidInput, NotFound, OneError, TimedOut
from onecore.history import Event
from oneprovision.cli.door import Effort, Names, Row
from oneprovision.model.folder import bare

if TYPE_CHECKING:
    from onecore.http.client import Client
    from oneprovision.model.states import Operation
    from oneprovision.usecases.oneform import CreateFromFolder
    from oneprovision.usecases.provisions import CreateProvision
    from oneprovision.usecases.scaling import RemoveHosts

FIRST_LOOK_S, LAST_LOOK_S = 0.1, 1.0


class RemoteProvisions:
    """See door.Provisions. What is asked has been accepted when a method returns; `see_through` waits, for
    `wait_timeout_s` at the longest."""

    def __init__(
        self, client: "Client", wait_timeout_s: float | None = None, clock: Clock | None = None
    ) -> None:
        self._client = client
        self._wait_timeout_s = wait_timeout_s
        self._clock = clock or SystemClock()
        self._told: dict[int, int] = {}

    def names(self) -> Names:
        every = [(row.id, row.name, row.state == "DONE") for row in self.rows(done=True)]
        living = {name for _, name, is_over in every if not is_over}
        return [(number, name) for number, name, is_over in every if not (is_over and name in living)]

    def check(self, numbers: Sequence[int]) -> None:
        if len(numbers) < 2:
            return  # what is asked of it says so
        for number in numbers:
            self.document(number)

    def rows(self, done: bool) -> list[Row]:
        return [_row(document) for document in self._documents(done)]

    def pool(self, kept: Sequence[Row]) -> Document:
        chosen = {str(row.id) for row in kept}
        inner = [each for each in self._documents(done=True) if each["ID"] in chosen]
        return {"DOCUMENT_POOL": {"DOCUMENT": inner}}

    def document(self, number: int) -> Document:
        return self._ask("GET", f"/provisions/{number}")

    def objects(self, number: int, kind: str) -> Names:
        body = _body(self.document(number)["DOCUMENT"])
        pending = body.get("pending", []) if kind == "host" else []
        entries = [*body["one_objects"].get(f"{kind}s", []), *pending]
        return [(int(each["id"]), each["name"]) for each in entries if each["id"] is not None]

    def log(self, number: int, after: int = 0) -> list[Event]:
        answer = self._ask("GET", f"/provisions/{number}/logs/poll?pos={after}")
        return [_event(number, answer["pos"], line) for line in answer["lines"]]

    def is_busy(self, number: int) -> bool:
        return bool(self._client.ask("GET", f"/provisions/{number}/jobs"))

    def update(self, number: int, changes: Mapping[str, object]) -> None:
        self._ask("PATCH", f"/provisions/{number}", dict(changes))

    def chmod(self, number: int, mode: str) -> None:
        self._post(number, "chmod", {"octet": mode})

    def chown(self, number: int, user: str, group: str | None) -> None:
        self._post(number, "chown", {"owner_id": user} | ({} if group is None else {"group_id": group}))

    def chgrp(self, number: int, group: str) -> None:
        self._post(number, "chgrp", {"group_id": group})

    # -- what is carried out -------------------------------------------------------------------------------

    def create(self, request: "CreateProvision | CreateFromFolder", effort: Effort) -> int:
        from oneprovision.usecases.oneform import CreateFromFolder

        said: dict[str, Any] = {"name": request.name, "provider_id": request.provider_id}
        if isinstance(request, CreateFromFolder):
            said |= {
                "driver": bare(request.driver),
                "deployment_type": request.deployment or self._only_deployment(request.driver),
                "user_inputs_values": dict(request.values),
                "description": request.description,
            }
        else:
            said["template"] = dict(request.template)
        given = {key: value for key, value in said.items() if value not in (None, "")}
        made = self._ask("POST", "/provisions", given | _options(effort))
        number = int(made["DOCUMENT"]["ID"])
        self._told[number] = 0
        return number

    def add_hosts(self, number: int, amount: int, ips: tuple[str, ...], effort: Effort) -> None:
        self._do(number, "scale", {"direction": "up", "nodes": list(ips) or amount}, effort)

    def remove_hosts(self, number: int, request: "RemoveHosts", effort: Effort) -> None:
        nodes = [str(each) for each in request.ids] or request.amount
        asked = {"direction": "down", "nodes": nodes, "opts": {"force": request.force}}
        self._do(number, "scale", asked, effort)

    def add_ip(self, number: int, amount: int, network: int | None, effort: Effort) -> None:
        self._do(number, "add-ip", {"amount": amount} | _on(network), effort)

    def remove_ip(self, number: int, ar_id: int, network: int | None, effort: Effort) -> None:
        self._do(number, "remove-ip", {"ar_id": ar_id} | _on(network), effort)

    def require(self, numbers: Sequence[int], operation: "Operation", force: bool = False) -> None:
        """The server says so when it is asked."""

    def retry(self, number: int, force: bool, effort: Effort) -> None:
        self._do(number, "retry", {"force": force}, effort)

    def configure(self, number: int, force: bool) -> None:
        self._do(number, "configure", {"force": force}, {})

    def deprovision(self, number: int, force: bool, effort: Effort) -> None:
        self._do(number, "undeploy", {"force": force}, effort)

    def cancel(self, number: int) -> str:
        self._do(number, "cancel", None, {})
        return ""

    def delete(self, number: int, force: bool, from_db: bool) -> list[str]:
        """What is left is known to those who look at the providers: `orphans`, beside the server."""
        flags = "&".join(name for name, said in (("force", force), ("from_db", from_db)) if said)
        self._remember(number)
        self._client.ask("DELETE", f"/provisions/{number}" + (f"?{flags}" if flags else ""))
        return []

    def see_through(self, numbers: Sequence[int], tell: Callable[[int, Event], None]) -> None:
        limit = float("inf") if self._wait_timeout_s is None else self._wait_timeout_s
        until = self._clock.monotonic() + limit
        look_s = FIRST_LOOK_S
        try:
            while self._tell(numbers, tell):
                if self._clock.monotonic() >= until:
                    raise _stopped(TIMED_OUT, numbers)
                self._clock.sleep(min(look_s, max(until - self._clock.monotonic(), 0.0)))
                look_s = min(look_s * 1.3, LAST_LOOK_S)
        except KeyboardInterrupt:
            raise _stopped("SIGINT", numbers) from None
        failed = [error for error in map(self._failure, numbers) if error]
        if failed:
            raise failed[0]

    def _tell(self, numbers: Sequence[int], tell: Callable[[int, Event], None]) -> bool:
        """Whether something is still being done with one of them."""
        busy = False
        for number in numbers:
            try:
                # Asked before the lines are read, so that none written in between is missed.
                busy = self.is_busy(number) or busy
                lines = self.log(number, self._told.get(number, 0))
            except NotFound:  # it was removed meanwhile
                continue
            for line in lines:
                self._told[number] = line.id
                tell(number, line)
        return busy

    def _failure(self, number: int) -> OneError | None:
        try:
            body = _body(self.document(number)["DOCUMENT"])
        except NotFound:
            return None
        if not body["state"].endswith("_FAILURE"):
            return None
        why = f": {body['error']}" if body.get("error") else ""
        hint = f"see: oneprovision logs {number}; then: oneprovision retry {number}"
        return OneError(f"provision {number} is {body['state']}{why}", hint=hint)

    def _only_deployment(self, driver: str) -> str:
        """A server wants it named. Raises InvalidInput where there are several."""
        found = self._ask("GET", f"/drivers/{quote(bare(driver), safe='')}")
        names = [each["inventory"] for each in found.get("deployment_confs", [])]
        if len(names) != 1:
            raise InvalidInput(
                f"driver '{bare(driver)}' has several deployments",
                hint=f"choose one with --deployment: {', '.join(names)}",
            )
        return str(names[0])

    def _do(self, number: int, action: str, asked: dict[str, Any] | None, effort: Effort) -> None:
        self._remember(number)
        self._post(number, action, None if asked is None else asked | _options(effort))

    def _remember(self, number: int) -> None:
        """From where on the log is news."""
        if number not in self._told:
            self._told[number] = int(self._ask("GET", f"/provisions/{number}/logs/poll")["pos"])

    def _documents(self, done: bool) -> list[Document]:
        every = self._client.ask("GET", "/provisions?all=true" if done else "/provisions")
        return [each["DOCUMENT"] for each in every]

    def _post(self, number: int, action: str, data: object) -> None:
        self._client.ask("POST", f"/provisions/{number}/{action}", data)

    def _ask(self, method: str, path: str, data: object = None) -> Document:
        answer: Document = self._client.ask(method, path, data)
        return answer


def _row(document: Document) -> Row:
    body = _body(document)
    return Row(
        id=int(document["ID"]),
        user=document["UNAME"],
        group=document["GNAME"],
        name=document["NAME"],
        registered_at=float(body["registration_time"]),
        hosts=len(body["one_objects"].get("hosts", [])),
        state=body["state"],
    )


def _body(document: Document) -> Any:
    return document["TEMPLATE"]["PROVISION_BODY"]


def _event(number: int, position: int, line: Mapping[str, Any]) -> Event:
    action = str(line.get("action", ""))
    text = str(line["text"]).removeprefix(f"{action}: ")
    at = float(line.get("time", 0))
    return Event(position, f"provision/{number}", at, line["level"], action, text)


def _options(effort: Effort) -> dict[str, Any]:
    return {"options": dict(effort)} if effort else {}


def _on(network: int | None) -> dict[str, Any]:
    return {} if network is None else {"network": network}


def _stopped(reason: str, numbers: Sequence[int]) -> OneError:
    listed = ",".join(map(str, numbers))
    hint = f"the server goes on; follow it with: oneprovision logs {numbers[0]} --follow"
    if reason == TIMED_OUT:
        return TimedOut(f"stopped waiting for provision {listed}: it is not settled yet", hint=hint)
    return Interrupted(f"stopped waiting for provision {listed} ({reason})", hint=hint)
