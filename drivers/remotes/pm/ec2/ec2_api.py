"""Speaks with EC2 through boto3: which account and region, and what its errors mean."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from onecore.drivers.kit import Failed
from onecore.drivers.kit.http import Refused, Uncertain
from onecore.drivers.kit.surroundings import told

T = TypeVar("T")

CONNECT_S, READ_S = 10, 60
# What says that something is not there, among it ids that could never be ones.
NOT_THERE = frozenset(
    (
        *("InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"),
        *("InvalidAllocationID.NotFound", "InvalidAllocationID.Malformed", "InvalidAddress.NotFound"),
    )
)
_HINTS = {
    "AuthFailure": "is the access key right?",
    "UnauthorizedOperation": "the account may not do that",
    "InsufficientInstanceCapacity": "try another `type`, or another `zone`",
}


class Api:
    """The EC2 client of one call. `repeats`: whether what may have arrived is sent again (botocore does)."""

    def __init__(self, repeats: bool = True) -> None:
        region = told("AWS_DEFAULT_REGION")
        if not region and not told("AWS_PROFILE"):
            raise Failed(
                "the region is missing: set AWS_DEFAULT_REGION, or create a provider that names `region`"
            )
        try:
            import boto3
            from botocore.config import Config
        except ImportError as exc:
            raise Failed("boto3 is not installed: pip install 'onesuite[aws]'") from exc
        attempts = {"mode": "standard", "total_max_attempts": 6 if repeats else 1}
        config = Config(retries=attempts, connect_timeout=CONNECT_S, read_timeout=READ_S)
        session = boto3.Session(profile_name=told("AWS_PROFILE") or None, region_name=region or None)
        self._client: Any = session.client(
            "ec2", config=config, endpoint_url=told("AWS_ENDPOINT_URL") or None
        )

    def call(self, operation: str, **arguments: object) -> Mapping[str, object]:
        """The answer; Refused, or Uncertain when nobody knows whether it was done."""
        return self._answer(operation, lambda: getattr(self._client, operation)(**arguments))

    def find(self, operation: str, **arguments: object) -> Mapping[str, object] | None:
        """The same, but None for what is not there."""
        try:
            return self.call(operation, **arguments)
        except Refused as exc:
            if exc.args[0].partition(":")[0] in NOT_THERE:
                return None
            raise

    def every(self, operation: str, key: str, **arguments: object) -> list[Mapping[str, object]]:
        """The rows of every page."""

        def read() -> list[Mapping[str, object]]:
            pages = self._client.get_paginator(operation).paginate(**arguments)
            return [row for page in pages for row in page.get(key, [])]

        return self._answer(operation, read)

    def _answer(self, operation: str, ask: Callable[[], T]) -> T:
        from botocore import exceptions

        try:
            return ask()
        except exceptions.ClientError as exc:
            raise _failure(operation, exc.response) from exc
        except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as exc:
            raise Failed(
                "the access key of the AWS account is missing: set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or create a provider that holds them"
            ) from exc
        except exceptions.ParamValidationError as exc:
            raise Refused(f"{operation}: {exc}", 400) from exc
        except exceptions.EndpointConnectionError as exc:
            raise Failed(f"{operation}: {exc}") from exc
        except (exceptions.BotoCoreError, OSError) as exc:
            raise Uncertain(f"{operation}: {exc}") from exc


def _failure(operation: str, answer: Mapping[str, Any]) -> Failed:
    code, status = answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]
    hint = f"; {_HINTS[code]}" if code in _HINTS else ""
    text = f"{code}: {answer['Error'].get('Message', '')} ({operation}){hint}"
    # A fault of theirs may have come after the deed.
    return Uncertain(text) if status >= 500 else Refused(text, status)
