"""Calls an OpenNebula, and tells apart what was refused, what was never asked, and what nobody knows."""

import re
import xmlrpc.client
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from time import time
from typing import TYPE_CHECKING, Any

from onecore.errors import InvalidInput, NotAuthorized, NotFound, OneError
from onecore.opennebula.calls import OLDEST, checked
from onecore.opennebula.tokens import TOKEN_S, token_of
from onecore.tasks import Unknown

if TYPE_CHECKING:
    from lxml.etree import _Element

CONNECT_S = 10.0
ANSWER_S = 120.0
SUGGESTED = "pip install 'onesuite[opennebula]'"

_NOT_FORWARDED = (
    "RPC call timed out",
    "failed to execute the HTTP POST transaction",
    "HTTP response code is",
    "Unable to transport XML to server",
    "is not valid XML-RPC response",
)
"""What a server, or the library that it asks others with, says when the one that leads did not answer it."""


class Unreachable(OneError):
    """Nobody was asked: nothing was done."""

    http_status = 503


class NoAnswer(Unknown):
    """It was asked, and what it did is not known."""

    http_status = 504


class Refused(OneError):
    """OpenNebula said no: nothing was done."""

    http_status = 502


class Unauthenticated(Refused):
    """It does not know these credentials (any more)."""

    exit_code = 4
    http_status = 401


@dataclass(frozen=True)
class Endpoint:
    """Where it is, and the file with the credentials, which is read anew before each call: a token that
    expires is replaced there."""

    url: str
    auth_file: Path

    def session(self) -> str:
        try:
            text = self.auth_file.read_text("utf-8").strip()
        except OSError as exc:
            raise NotAuthorized(
                f"credentials for OpenNebula: {exc.strerror}: {self.auth_file}",
                hint="write user:password or user:token into ~/.one/one_auth, or name a file by ONE_AUTH",
            ) from exc
        if ":" not in text:
            raise NotAuthorized(f"{self.auth_file} is not of the form user:password")
        return text


@dataclass(frozen=True)
class Client:
    """For any thread. `conceal` hears of the password before it is used; `answer_s`: how long an answer may
    take; `key`: that of this installation, which tokens of others are made with."""

    endpoint: Endpoint
    conceal: Callable[[list[str]], None] = lambda secrets: None
    answer_s: float = ANSWER_S
    key: bytes = field(default=b"", repr=False)
    now: Callable[[], float] = time
    _concealed: set[str] = field(default_factory=set, repr=False)
    _tokens: dict[str, str] = field(default_factory=dict, repr=False)
    _making: Lock = field(default_factory=Lock, repr=False)
    _version: list[tuple[int, ...]] = field(default_factory=list, repr=False)

    def version(self) -> tuple[int, ...]:
        """That of the server when it was asked first. Raises Refused where it is older than those that we
        know how to work with."""
        if not self._version:
            text = str(self.call("system.version"))
            numbers = tuple(int(part) for part in re.findall(r"\d+", text)[:3])
            if numbers < OLDEST:
                oldest = ".".join(map(str, OLDEST[:2]))
                raise Refused(f"OpenNebula {text} at {self.endpoint.url} is older than {oldest}")
            self._version.append(numbers)
        return self._version[0]

    def call(self, method: str, *arguments: object) -> Any:
        """Returns what pyone makes of the answer."""
        return self._asked(self.endpoint.session(), method, arguments, raw=False)

    def document(self, method: str, *arguments: object) -> "_Element":
        """The answer as XML: pools are long, and what the schemas do not have is of use, too."""
        text = self._asked(self.endpoint.session(), method, arguments, raw=True)
        from lxml import etree  # lazy: comes with pyone, which was asked

        try:
            parser = etree.XMLParser(resolve_entities=False, huge_tree=True)
            return etree.fromstring(str(text).encode(), parser)
        except etree.XMLSyntaxError as exc:
            raise NoAnswer(f"one.{method} of {self.endpoint.url} answered no XML: {exc}") from exc

    def call_for(self, user: str, method: str, *arguments: object) -> Any:
        """On behalf of that user, with what he may do: by our credentials if they are his, else by a token
        that we make for him, as an administrator may."""
        own = self.endpoint.session()
        if user in ("", own.partition(":")[0]):
            return self.call(method, *arguments)
        try:
            return self.call_as(f"{user}:{self._token_of(user)}", method, *arguments)
        except Unauthenticated:  # its time was up before, or he has cancelled it; nothing was done
            self._tokens.pop(user, None)
            return self.call_as(f"{user}:{self._token_of(user)}", method, *arguments)

    def call_as(self, session: str, method: str, *arguments: object) -> Any:
        """With other credentials than ours."""
        return self._asked(session, method, arguments, raw=False)

    def _token_of(self, user: str) -> str:
        """A user has ten tokens at most: all processes of an installation share one for a while."""
        token = token_of(self.key, user, self.now())
        with self._making:
            if self._tokens.get(user) != token:
                self.call("user.login", user, token, TOKEN_S, self._group_of(user))
                self._tokens[user] = token
        return token

    def _group_of(self, user: str) -> int:
        """Only the user himself could make a token for all of his groups."""
        for each in self.document("userpool.info").findall("USER"):
            if each.findtext("NAME") == user:
                return int(each.findtext("GID", ""))
        raise NotFound(f"OpenNebula has no user {user!r}")

    def _asked(self, session: str, method: str, arguments: tuple[object, ...], raw: bool) -> Any:
        checked(method, arguments)
        pyone = require_pyone()
        self._conceal_once(session.partition(":")[2])
        server = pyone.OneServer(self.endpoint.url, session)
        # Its own has no deadline: a server that stands still would hold us for ever.
        server._ServerProxy__transport = _transport(self.endpoint.url, self.answer_s)
        try:
            if raw:
                return _raw(server, method, arguments)
            return getattr(server, method.partition(".")[0]).__getattr__(method.partition(".")[2])(*arguments)
        except pyone.OneException as exc:
            raise self._refused(pyone, method, exc) from exc
        except (OSError, xmlrpc.client.Error) as exc:
            raise self._unanswered(method, exc) from exc
        except ValueError as exc:  # an answer that is no XML-RPC, or that ends in the middle
            raise NoAnswer(f"one.{method} of {self.endpoint.url}: no answer can be read: {exc}") from exc

    def _conceal_once(self, secret: str) -> None:
        if secret not in self._concealed:
            self._concealed.add(secret)
            self.conceal([secret])

    def _refused(self, pyone: Any, method: str, exc: Exception) -> OneError:
        text = str(exc)
        if isinstance(exc, pyone.OneAuthenticationException):
            user = self.endpoint.auth_file
            return Unauthenticated(f"OpenNebula does not know the credentials in {user}: {text}")
        if isinstance(exc, pyone.OneNoExistsException):
            return NotFound(text)
        if isinstance(exc, pyone.OneAuthorizationException):
            return NotAuthorized(text)
        told = text if text.startswith("[") else f"one.{method}: {text}"
        # Of several servers one that does not lead forwards what it is asked, or has nobody to forward it to.
        if any(words in text for words in _NOT_FORWARDED):
            return NoAnswer(told, retryable=True)
        if "Cannot process request" in text:
            return Unreachable(told, retryable=True)
        return Refused(told)

    def _unanswered(self, method: str, exc: Exception) -> OneError:
        text = f"one.{method} of {self.endpoint.url}: {_reason(exc)}"
        if _was_never_sent(exc):
            return Unreachable(text, hint="is OpenNebula running there? see ONE_XMLRPC", retryable=True)
        return NoAnswer(text, retryable=True)


def require_pyone() -> Any:
    """The library; raises InvalidInput when it is not installed."""
    try:
        import pyone  # lazy: a tenth of a second, and an extra
    except ModuleNotFoundError as exc:
        raise InvalidInput(
            f"OpenNebula needs more than is installed ({exc.name} is missing): {SUGGESTED}",
            hint="or work without OpenNebula: --embedded",
        ) from exc
    return pyone


def _raw(server: Any, method: str, arguments: tuple[object, ...]) -> object:
    """The answer as it came. An error goes the usual way, so that pyone says which it is."""
    answer = server._do_request(f"one.{method}", server._cast_parms(arguments))
    # Its name in the class, which older releases of pyone call otherwise.
    told = getattr(server, f"_{type(server).__name__}__response")
    return answer[1] if answer[0] else told(answer)


def _transport(url: str, answer_s: float) -> xmlrpc.client.Transport:
    import requests

    class Transport(xmlrpc.client.Transport):
        def request(self, host: Any, handler: str, request_body: Any, verbose: bool = False) -> Any:
            """A connection for each call: one that was kept may be dead, and nobody could tell whether the
            server got what was sent on it."""
            headers = {"Content-Type": "text/xml", "Connection": "close"}
            answer = requests.post(
                url,
                data=bytes(request_body),
                headers=headers,
                timeout=(CONNECT_S, answer_s),
                allow_redirects=False,
            )
            if answer.status_code != 200:
                raise xmlrpc.client.ProtocolError(url, answer.status_code, answer.reason, {})
            parser, unmarshaller = self.getparser()
            parser.feed(answer.content)
            parser.close()
            return unmarshaller.close()

    return Transport()


def _was_never_sent(exc: BaseException) -> bool:
    """Whether not even a connection came about."""
    import requests
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    if isinstance(exc, requests.exceptions.ConnectTimeout):
        return True
    inner = exc.args[0] if exc.args else None
    return isinstance(inner, MaxRetryError) and isinstance(inner.reason, NewConnectionError)


def _reason(exc: Exception) -> str:
    if isinstance(exc, xmlrpc.client.ProtocolError):
        return f"HTTP {exc.errcode} {exc.errmsg}"
    cause: BaseException = exc
    while cause.__cause__ is not None or cause.__context__ is not None:
        cause = cause.__cause__ or cause.__context__  # type: ignore[assignment]  # one of them is there
    return str(getattr(cause, "strerror", None) or cause)
