"""The routes that both kinds of templates have (spec/003, Service Template)."""

from collections.abc import Callable
from dataclasses import dataclass

from onecore.http.operation import Call, Operation, Work
from oneflow.api import schemas
from oneflow.deps import FlowDeps
from oneflow.model.document import Kind
from oneflow.model.schema import Schema
from oneflow.usecases import documents

PER_PAGE = 100

Perform = Callable[[Call[FlowDeps]], object]


@dataclass(frozen=True)
class Collection:
    """Templates of one kind at a path. `body` is the schema of what is created; `actions` says which there
    are."""

    kind: Kind
    path: str
    body: Schema
    create: Perform
    update: Perform
    delete: Perform
    act: Perform
    actions: str

    def index(self, call: Call[FlowDeps]) -> object:
        page, per_page = call.whole("page"), call.whole("per_page", PER_PAGE)
        return documents.listed(call.context, self.kind, page, per_page or 0)

    def show(self, call: Call[FlowDeps]) -> object:
        return documents.shown(call.context, self.kind, call.number())

    def operations(self) -> tuple[Operation[FlowDeps], ...]:
        one, noun, write = f"{self.path}/{{id}}", self.kind.noun, Work.WRITE
        return (
            Operation(
                "GET",
                self.path,
                self.index,
                f"List the {noun}s",
                Work.LIST,
                answer=schemas.POOL,
                query=("page", "per_page"),
            ),
            Operation(
                "POST", self.path, self.create, f"Create a {noun}", write, 201, self.body, schemas.DOCUMENT
            ),
            Operation("GET", one, self.show, f"Show a {noun}", Work.READ, answer=schemas.DOCUMENT),
            Operation("PUT", one, self.update, f"Replace a {noun}", write, 200, self.body, schemas.DOCUMENT),
            Operation("DELETE", one, self.delete, f"Delete a {noun}", write, 204),
            Operation(
                "POST",
                f"{one}/action",
                self.act,
                f"Perform one of: {self.actions}",
                write,
                201,
                schemas.ACTION,
            ),
        )
