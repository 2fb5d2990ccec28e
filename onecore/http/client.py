"""A client of our REST servers: JSON in and out, and errors as the OneError they were at the other end."""

import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from onecore.errors import (
    DriverFailed,
    Interrupted,
    InvalidInput,
    NotAuthorized,
    NotFound,
    OneError,
    StoreFailed,
    TimedOut,
    WrongState,
)

CONNECT_TIMEOUT_S: Final = 10.0
ANSWER_TIMEOUT_S: Final = 120.0
_LONGEST_TEXT = 500

_ERRORS: Final[Mapping[int, type[OneError]]] = {
    400: InvalidInput,
    401: NotAuthorized,
    403: NotAuthorized,
    404: NotFound,
    405: WrongState,
    409: WrongState,
    504: TimedOut,
}
_BY_NAME: Final = {
    each.__name__: each
    for each in (
        *(OneError, InvalidInput, NotFound, NotAuthorized, WrongState),
        *(DriverFailed, StoreFailed, TimedOut, Interrupted),
    )
}


class Client:
    """Asks the server at `url`, which may have a path in front (`https://cloud.example/flow`).

    Nothing is sent twice: a request whose answer was lost may have been carried out.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        import requests  # lazy: only commands that ask a server pay for it

        if not url.startswith(("http://", "https://")):
            raise InvalidInput(f"server {url!r} is no URL", hint="write it as in http://127.0.0.1:2474")
        self._url = url.rstrip("/")
        self._session = requests.Session()
        token = b64encode(f"{user}:{password}".encode()).decode()

        def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["Authorization"] = f"Basic {token}"
            return request

        # A function, for requests would write names as Latin-1, and look into .netrc where there is none.
        self._session.auth = authorize
        self._session.headers["Accept"] = "application/json"

    def ask(self, method: str, path: str, data: object = None) -> Any:
        """What the server answers, parsed; None where it answers nothing. Raises OneError."""
        body = None if data is None else json.dumps(data)
        answer = self._send(method, f"{self._url}{path}", body)
        parsed = _parsed(answer.text)
        if answer.status_code >= 400:
            raise _error(answer.status_code, parsed, answer.text, answer.headers.get("X-One-Error", ""))
        if 300 <= answer.status_code < 400:
            raise OneError(f"{self._url} answers with a redirection", hint="name the address it leads to")
        if parsed is None and answer.text.strip():
            raise OneError(f"{self._url} does not answer with JSON", hint="is it the server that you mean?")
        return parsed

    def _send(self, method: str, url: str, body: str | None) -> Any:
        import requests

        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            return self._session.request(
                method,
                url,
                data=None if body is None else body.encode(),
                headers=headers,
                timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
                allow_redirects=False,
            )
        except requests.exceptions.SSLError as exc:
            raise OneError(f"the certificate of {self._url} is not trusted: {_cause(exc)}") from exc
        except requests.exceptions.Timeout as exc:
            raise TimedOut(f"{self._url} does not answer", hint="it may be carried out all the same") from exc
        except (requests.exceptions.RequestException, UnicodeError) as exc:
            hint = (
                "is the server running? It is named by --server, a variable or a file in ~/.one; where none"
                " is, the local state is used"
            )
            raise OneError(f"cannot reach {self._url}: {_cause(exc)}", hint=hint, retryable=True) from exc


def credentials(environ: Mapping[str, str], product: str, given: tuple[str, str]) -> tuple[str, str]:
    """User and password for a server: those `given`, else ONEFLOW_USER and ONEFLOW_PASSWORD (for the product
    ONEFLOW), else the line `user:password` of the file ONE_AUTH, of $ONE_HOME/one_auth or ~/.one/one_auth."""
    user, password = given
    user = user or environ.get(f"{product}_USER", "")
    password = password or environ.get(f"{product}_PASSWORD", "")
    if user and password:
        return user, password
    for file in _auth_files(environ):
        name, _, secret = _first_line(file).partition(":")
        if name and user in ("", name):  # a password goes to the server with the name it belongs to only
            return name, password or secret
    raise NotAuthorized(
        "nobody said who asks the server: ONE_AUTH file not present",
        hint=f"set {product}_USER and {product}_PASSWORD, or ONE_AUTH to a file with the line user:password",
    )


def _auth_files(environ: Mapping[str, str]) -> list[Path]:
    if environ.get("ONE_AUTH"):
        return [Path(environ["ONE_AUTH"]).expanduser()]
    places = [(environ.get("ONE_HOME"), "one_auth"), (environ.get("HOME"), ".one/one_auth")]
    files = [Path(folder, name) for folder, name in places if folder]
    return [*files, Path("/var/lib/one/.one/one_auth")]


def _first_line(file: Path) -> str:
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return text.splitlines()[0] if ":" in text else ""


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _error(status: int, parsed: Any, text: str, name: str) -> OneError:
    """The message of `{"error": {"message": …}}` (ours), of `{"message": …}`, or the text; of the class
    that our servers name, else by the status."""
    inner = parsed.get("error", parsed) if isinstance(parsed, dict) else {}
    said = inner if isinstance(inner, dict) else {"message": str(inner)}
    message = str(said.get("message") or text.strip()[:_LONGEST_TEXT] or f"the server answers {status}")
    kind = _BY_NAME.get(name) or _ERRORS.get(status, OneError)
    context = said.get("context")
    return kind(
        message,
        hint=str(said.get("hint", "")),
        http_status=status,
        context=context if isinstance(context, dict) else None,
    )


def _cause(exc: BaseException) -> str:
    """The innermost reason, without the names of the libraries around it."""
    inner: BaseException = exc
    while inner.args and isinstance(inner.args[-1], BaseException):
        inner = inner.args[-1]
    reason = getattr(inner, "reason", None)
    if isinstance(reason, BaseException):
        return _cause(reason)
    return str(inner).rpartition(": ")[2][:_LONGEST_TEXT] or type(inner).__name__
