"""Numbers on the command line."""

from typing import Any

import click


class FiniteRange(click.FloatRange):
    """A range that nan is not in: every comparison with it is false, so click lets it pass."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if number != number:
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number
