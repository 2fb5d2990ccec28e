"""Who may do what: users, groups and permission bits as in OpenNebula; pure."""

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from onecore.errors import InvalidInput, NotAuthorized
from onecore.ids import GroupId, UserId

ADMIN_USER = UserId(0)
ADMIN_GROUP = GroupId(0)

NOBODYS = "scrypt$16384$8$5$00$00"
"""The hash of a user that does not exist: fits no password, and costs as much as any."""

_LONGEST_NAME = 64
_LONGEST_PASSWORD = 1024


class Right(StrEnum):
    """USE reads, MANAGE changes, ADMIN gives away."""

    USE = "use"
    MANAGE = "manage"
    ADMIN = "admin"


class Share(IntEnum):
    """Whose three bits are meant; the value is how far left they stand."""

    OWNER = 6
    GROUP = 3
    OTHER = 0


_HOW_TO_WRITE = "write three digits 0-7, as in 640, or what changes, as in u+m,go-a or g=u"
_CLAUSE = re.compile(r"(?P<who>[ugoa]*)(?P<changes>([+=-][umarwx]*)+)")
_CHANGE = re.compile(r"([+=-])([umarwx]*)")
_SHARES = {"u": Share.OWNER, "g": Share.GROUP, "o": Share.OTHER}
_LETTERS = {"u": 4, "r": 4, "m": 2, "w": 2, "a": 1, "x": 1}
_BITS = {Right.USE: 4, Right.MANAGE: 2, Right.ADMIN: 1}


@dataclass(frozen=True)
class Permissions:
    """Nine bits, as an octal number reads them: 0o640 is `um- u-- ---`."""

    bits: int

    def __post_init__(self) -> None:
        if not 0 <= self.bits <= 0o777:
            raise InvalidInput(
                f"permissions {self.bits} are not nine bits", hint="write an octet such as 640"
            )

    @classmethod
    def from_octal(cls, text: str) -> "Permissions":
        if len(text) != 3 or not set(text) <= set("01234567"):
            raise InvalidInput(f"permissions {text[:80]!r} are not an octet", hint=_HOW_TO_WRITE)
        return cls(int(text, 8))

    def changed(self, mode: "Mode") -> "Permissions":
        bits = self.bits
        for mask, added in mode.steps:
            bits = bits & mask | added
        return Permissions(bits)

    def has(self, share: Share, right: Right) -> bool:
        return bool(self.bits >> share & _BITS[right])

    def to_document(self) -> dict[str, str]:
        """`{"OWNER_U": "1", ...}`, as documents carry them."""
        return {
            f"{share.name}_{right.name[0]}": "1" if self.has(share, right) else "0"
            for share in Share
            for right in Right
        }

    def share_text(self, share: Share) -> str:
        """`um-`"""
        return "".join(right.value[0] if self.has(share, right) else "-" for right in Right)

    def text(self, separator: str = " ") -> str:
        """`um- u-- ---`"""
        return separator.join(self.share_text(share) for share in Share)


@dataclass(frozen=True)
class Mode:
    """What chmod does to permissions: in each step the bits of a mask stay, and others are added."""

    steps: tuple[tuple[int, int], ...]

    @classmethod
    def parse(cls, text: str) -> "Mode":
        """An octet, which replaces all bits, or as chmod(1) has it: `u+m,go-a`, `g=u`, `a+u`; for whom is
        owner (u), group (g), others (o) or all (a or nothing), what is use (u or r), manage (m or w) and
        admin (a or x). Raises InvalidInput."""
        if text.isdigit() or not text:
            return cls(((0, Permissions.from_octal(text).bits),))
        clauses = [_CLAUSE.fullmatch(clause.strip()) for clause in text.split(",")]
        if not all(clauses):
            raise InvalidInput(f"permissions {text[:80]!r} are not an octet", hint=_HOW_TO_WRITE)
        return cls(
            tuple(
                _step(clause["who"] or "a", operator, what)
                for clause in clauses
                if clause is not None
                for operator, what in _CHANGE.findall(clause["changes"])
            )
        )


def needed_to_change(before: Permissions, after: Permissions) -> Right:
    """Only who may administer changes who may administer."""
    return Right.ADMIN if (before.bits ^ after.bits) & 0o111 else Right.MANAGE


DEFAULT_PERMISSIONS = Permissions(0o600)


@dataclass(frozen=True)
class Principal:
    """Who asks. `group_ids` holds every group of the user; the primary one counts without being in it."""

    user_id: UserId
    user_name: str
    group_id: GroupId
    group_ids: frozenset[GroupId] = frozenset()

    @property
    def is_admin(self) -> bool:
        return self.user_id == ADMIN_USER or self.is_member(ADMIN_GROUP)

    def is_member(self, group_id: GroupId) -> bool:
        return group_id == self.group_id or group_id in self.group_ids


@dataclass(frozen=True)
class Resource:
    """What is asked for, with enough to say so in a sentence."""

    kind: str
    id: int
    name: str
    owner_id: UserId
    owner_name: str
    group_id: GroupId
    permissions: Permissions


def allows(
    principal: Principal, owner_id: UserId, group_id: GroupId, permissions: Permissions, right: Right
) -> bool:
    """Every share the principal belongs to may grant the right; administrators always have it."""
    return principal.is_admin or any(
        permissions.has(share, right) for share in _shares(principal, owner_id, group_id)
    )


def check(principal: Principal, resource: Resource, right: Right) -> None:
    """Raises NotAuthorized unless the principal has the right."""
    if allows(principal, resource.owner_id, resource.group_id, resource.permissions, right):
        return
    raise NotAuthorized(
        f"user {principal.user_name!r} may not {right} {resource.kind} {resource.id} ({resource.name!r}): "
        f"owner {resource.owner_name}, permissions {resource.permissions.text(separator='')}",
        hint=f"ask {resource.owner_name} or an administrator to grant you the {right} right (chmod)",
    )


def valid_name(name: str, kind: str = "user") -> str:
    """The name itself, if a user or a group may have it; else InvalidInput says why not."""
    reason = _name_problem(name)
    if reason:
        raise InvalidInput(
            f"{kind} name {name[:_LONGEST_NAME]!r} {reason}", hint="use a name such as 'web-team'"
        )
    return name


def hash_password(password: str, salt: bytes, is_random: bool = False) -> str:
    """`scrypt$n$r$p$salt$hash`, to be stored. `salt` is 16 random bytes, fresh for every password.
    `is_random`: it has 128 random bits, which nobody guesses, however fast a guess can be checked."""
    if not 0 < len(_encoded(password)) <= _LONGEST_PASSWORD:
        raise InvalidInput(f"a password has 1 to {_LONGEST_PASSWORD} bytes")
    # Of what people choose: the least that OWASP recommends for 16 MiB of memory.
    n, r, p = (2, 8, 1) if is_random else (2**14, 8, 5)
    return f"scrypt${n}${r}${p}${salt.hex()}${_scrypt(password, salt, n, r, p).hex()}"


def verify_password(stored: str, password: str) -> bool:
    """Whether the password is the one stored; takes as long for a wrong one. A damaged hash fits nobody."""
    from hmac import compare_digest  # lazy: most commands check no password

    try:
        scheme, n, r, p, salt, digest = stored.split("$")
        expected = bytes.fromhex(digest)
        actual = _scrypt(password, bytes.fromhex(salt), int(n), int(r), int(p))
    except (ValueError, OverflowError):
        return False
    return scheme == "scrypt" and compare_digest(actual, expected)


def _step(who: str, operator: str, what: str) -> tuple[int, int]:
    rights = 0
    for letter in what:
        rights |= _LETTERS[letter]
    shares = set(Share) if "a" in who else {_SHARES[letter] for letter in who}
    meant = sum(rights << share for share in shares)
    whole = sum(0o7 << share for share in shares)
    return {"+": (0o777, meant), "-": (0o777 & ~meant, 0), "=": (0o777 & ~whole, meant)}[operator]


def _shares(principal: Principal, owner_id: UserId, group_id: GroupId) -> tuple[Share, ...]:
    owner = (Share.OWNER,) if principal.user_id == owner_id else ()
    group = (Share.GROUP,) if principal.is_member(group_id) else ()
    return (*owner, *group, Share.OTHER)


def _name_problem(name: str) -> str:
    problems = (
        (not 1 <= len(name) <= _LONGEST_NAME, f"must have 1 to {_LONGEST_NAME} characters"),
        (":" in name, "must not contain ':'"),
        (
            any(char.isspace() or not char.isprintable() for char in name),
            "must not contain blanks or controls",
        ),
        (name.isdigit(), "must not be a number, which would be taken for an id"),
        (name.startswith("-"), "must not begin with '-', which would be taken for an option"),
    )
    return next((text for is_bad, text in problems if is_bad), "")


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    from hashlib import scrypt  # lazy: see verify_password

    return scrypt(_encoded(password), salt=salt, n=n, r=r, p=p, dklen=32)


def _encoded(password: str) -> bytes:
    return password.encode("utf-8", "surrogateescape")  # a command line may hold bytes that are no text
