"""The doors to the providers and OneForm drivers of a server."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from onecore.document import Document
from onecore.errors import NotFound
from oneprovision.cli.door import Names, Row
from oneprovision.model.folder import Input, bare

if TYPE_CHECKING:
    from onecore.http.client import Client
    from oneprovision.model.provider import ProviderForm


class RemoteProviders:
    """See door.Providers."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def names(self) -> Names:
        return [(row.id, row.name) for row in self.rows()]

    def rows(self) -> list[Row]:
        return [
            Row(
                id=int(each["ID"]),
                user=each["UNAME"],
                group=each["GNAME"],
                name=each["NAME"],
                registered_at=float(each["TEMPLATE"]["PROVIDER_BODY"]["registration_time"]),
                driver=each["TEMPLATE"]["PROVIDER_BODY"]["driver"],
            )
            for each in self._documents()
        ]

    def pool(self, kept: Sequence[Row]) -> Document:
        chosen = {str(row.id) for row in kept}
        return {"DOCUMENT_POOL": {"DOCUMENT": [each for each in self._documents() if each["ID"] in chosen]}}

    def document(self, number: int, sensitive: bool = False) -> Document:
        found: Document = self._client.ask(
            "GET", f"/providers/{number}" + ("?include_sensitive=true" if sensitive else "")
        )
        return found

    def asked(self, driver: str) -> "Sequence[Input]":
        """Of OneForm drivers; of others the server says what is missing."""
        try:
            connection = RemoteDrivers(self._client).document(bare(driver))["connection"]
        except (NotFound, LookupError):
            return ()
        return [Input.of_document(each) for each in connection]

    def create(self, form: "ProviderForm") -> int:
        made = self._client.ask("POST", "/providers", _said(form, "connection_values"))
        return int(made["DOCUMENT"]["ID"])

    def update(self, number: int, form: "ProviderForm") -> None:
        self._client.ask("PATCH", f"/providers/{number}", _said(form, "connection"))

    def delete(self, number: int) -> None:
        self._client.ask("DELETE", f"/providers/{number}")

    def chmod(self, number: int, mode: str) -> None:
        self._client.ask("POST", f"/providers/{number}/chmod", {"octet": mode})

    def chown(self, number: int, user: str | None, group: str | None) -> None:
        if user is None:
            self._client.ask("POST", f"/providers/{number}/chgrp", {"group_id": group})
        else:
            asked = {"owner_id": user} | ({} if group is None else {"group_id": group})
            self._client.ask("POST", f"/providers/{number}/chown", asked)

    def _documents(self) -> list[Document]:
        return [each["DOCUMENT"] for each in self._client.ask("GET", "/providers")]


class RemoteDrivers:
    """See door.Drivers."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def documents(self, enabled: bool) -> list[Document]:
        found: list[Document] = self._client.ask("GET", "/drivers" + ("?enabled=true" if enabled else ""))
        return found

    def document(self, name: str) -> Document:
        found: Document = self._client.ask("GET", f"/drivers/{quote(name, safe='')}")
        return found

    def sync(self) -> Document:
        done: Document = self._client.ask("POST", "/drivers/sync")
        return done

    def enable(self, name: str) -> None:
        self._client.ask("POST", f"/drivers/{quote(name, safe='')}/enable")

    def disable(self, name: str) -> None:
        self._client.ask("POST", f"/drivers/{quote(name, safe='')}/disable")


def _said(form: "ProviderForm", connection: str) -> dict[str, Any]:
    said = {
        "name": form.name,
        "driver": form.driver,
        "description": form.description,
        connection: dict(form.connection) or None,
        "parameters": None if form.parameters is None else dict(form.parameters),
    }
    return {key: value for key, value in said.items() if value is not None}
