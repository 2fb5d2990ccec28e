"""Judges what a driver asked and what a double answered, by the provider's own description of its API."""

import json
import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from tests.http_server import Reply, Request

# Beside the checkout, wherever that is: in the folder itself or next to the main worktree.
FOLDERS = [parent / "shared" / "apis" for parent in Path(__file__).resolve().parents[2:5]]
ORIGINS = {
    "linode": "https://api.linode.com",
    "vultr": "https://api.vultr.com",
    "digitalocean": "https://api.digitalocean.com",
}
# Projects are not in the description that is here, and reserved addresses of Linode are newer than it.
ELSEWHERE = re.compile(r"/v2/projects.*|/v4/networking/reserved/ips.*|/v4/linode/instances/\d+/ips.*")
# Of these the descriptions say nothing, or nothing for every path.
UNDESCRIBED = (408, 429, 500, 502, 503)


def violations(name: str, exchanges: Iterable[tuple[Request, Reply]]) -> list[str]:
    """Each request and answer that does not fit the description; skips the test where there is none."""
    api = description(name)
    if api is None:
        pytest.skip("the official descriptions of the APIs are not here")
    found: dict[str, None] = {}
    for request, reply in exchanges:
        if ELSEWHERE.fullmatch(request.path):
            continue
        for problem in _problems(api, ORIGINS[name], request, reply):
            found[f"{request.method} {request.path}: {problem}"] = None
    return list(found)


@cache
def description(name: str) -> OpenAPI | None:
    file = next((f / f"{name}.json" for f in FOLDERS if (f / f"{name}.json").exists()), None)
    if file is None:
        return None
    text = json.loads(file.read_text())
    # DigitalOcean's parameters refer to read-only fields, which then may not even be asked for.
    for field in ("ssh_key_id", "ssh_key_fingerprint"):
        text.get("components", {}).get("schemas", {}).get(field, {}).pop("readOnly", None)
    moods = Config(extra_format_validators={"date-time": _is_a_moment})
    return OpenAPI.from_dict(text, config=moods)


def _is_a_moment(value: object) -> bool:
    """Linode writes its moments without a zone, against the format that its description names."""
    return not isinstance(value, str) or datetime.fromisoformat(value) is not None


def _problems(api: OpenAPI, origin: str, request: Request, reply: Reply) -> Iterable[str]:
    asked = MockRequest(
        origin,
        request.method.lower(),
        request.path,
        args=cast(Any, dict(request.query)),
        headers=cast(Any, dict(request.headers)),
        data=json.dumps(request.body).encode() if request.body is not None else None,
        content_type="application/json",
    )
    if reply.status != 401:  # a call without a key is judged by its answer
        yield from _tried("asked", lambda: api.validate_request(asked))
    if reply.status not in UNDESCRIBED:
        raw = b"" if reply.body is None else json.dumps(reply.body).encode()
        answered = MockResponse(raw, status_code=reply.status, content_type="application/json")
        yield from _tried(f"answered {reply.status}", lambda: api.validate_response(asked, answered))


def _tried(what: str, validate: Any) -> Iterable[str]:
    try:
        validate()
    except OpenAPIError as exc:
        words = str(exc.__cause__ or exc)
        # The value comes first and is long; what is wrong with it comes last.
        yield f"{what}: {words if len(words) < 600 else words[:100] + ' … ' + words[-500:]}"
