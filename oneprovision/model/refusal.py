"""How a problem in a template is said: where it is, what is wrong, and what was probably meant."""

from collections.abc import Iterable

from onecore.errors import InvalidInput

Path = tuple[str | int, ...]

_LISTED = 12


def refusal(path: Path, message: str, hint: str = "") -> InvalidInput:
    """The error for one place of a template: `hosts[0].provision.count: -1 is negative`."""
    from onecore.schema.problems import path_text  # lazy: only a mistake needs it

    place = path_text(path)
    return InvalidInput(
        f"{place}: {message}" if place else message,
        hint=hint,
        context={"errors": [{"path": place, "message": message}]},
    )


def known_names(word: str, known: Iterable[str]) -> str:
    """The closest name when there is one, and the first few of those that exist."""
    names = list(known)
    if not names:
        return "none is known"
    listed = ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
    near = closest(word, names)
    return f"did you mean {near!r}? known: {listed}" if near else f"known: {listed}"


def closest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that looks most like this one."""
    import difflib  # lazy: only a mistake needs it

    found = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return found[0] if found else None


def shown(value: object) -> str:
    """A value of the user's as it may be printed: quoted, cut, nothing that steers a terminal."""
    from onecore.schema.problems import shown as printable  # lazy: only a mistake needs it

    return printable(value)
