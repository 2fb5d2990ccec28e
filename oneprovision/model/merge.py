"""How one mapping is laid over another: a child template over its parent, a value over its default."""

from collections.abc import Mapping


def merge(parent: Mapping[str, object], child: Mapping[str, object]) -> dict[str, object]:
    """`extends`: scalars of the child replace, lists are parent + child, mappings go deep."""
    return _merged(parent, child, append=True)


def overlay(low: Mapping[str, object], high: Mapping[str, object]) -> dict[str, object]:
    """Defaults below values: mappings go deep, everything else of the higher one replaces."""
    return _merged(low, high, append=False)


def _merged(low: Mapping[str, object], high: Mapping[str, object], *, append: bool) -> dict[str, object]:
    result = dict(low)
    for key, value in high.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = _merged(below, value, append=append)
        elif append and isinstance(below, list) and isinstance(value, list):
            result[key] = below + value
        else:
            result[key] = value
    return result
