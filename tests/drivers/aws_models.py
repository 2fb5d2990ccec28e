"""botocore reads its description of EC2, megabytes of JSON, for every client. The warm process imports this,
and its forks have them read already."""

from typing import Any

import boto3
from botocore.loaders import JSONFileLoader

_read = JSONFileLoader.load_file
_known: dict[str, Any] = {}


def load_file(self: JSONFileLoader, file: str) -> Any:
    if file not in _known:
        _known[file] = _read(self, file)
    return _known[file]


JSONFileLoader.load_file = load_file
boto3.client("ec2", region_name="eu-west-3", aws_access_key_id="x", aws_secret_access_key="y")
