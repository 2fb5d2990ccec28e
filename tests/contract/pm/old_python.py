#!/usr/bin/env python3
"""A driver in the historical style: reads the XML from the file, lets its errors fall on stderr as they are.

All six actions are this program under six names.
"""

import os
import sys
import uuid
from pathlib import Path
from xml.etree import ElementTree

MACHINES = Path(os.environ["ONE_HOME"], "old-python", "machines")


def deploy(file: str) -> None:
    provision = ElementTree.parse(file).getroot().find("TEMPLATE/PROVISION")
    assert provision is not None
    if reason := provision.findtext("FAIL"):
        print("connecting", "retrying", sep="\n", file=sys.stderr)
        sys.exit(reason)
    deploy_id = provision.findtext("DEPLOY_ID")
    record = known(deploy_id) if deploy_id else MACHINES / str(uuid.uuid4())
    MACHINES.mkdir(parents=True, exist_ok=True)
    record.write_text("a")
    print(record.name)


def known(deploy_id: str) -> Path:
    record = MACHINES / deploy_id
    if not record.exists():
        sys.exit(f"404 Not Found: {deploy_id}")
    return record


def main() -> None:
    action, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    if action == "deploy":
        deploy(arguments[0])
    elif action == "poll":
        state = known(arguments[0]).read_text()
        print(f'INSTANCE_TYPE=t3 STATE={state} AWS_PUBLIC_IP_ADDRESS=\\"192.0.2.20\\"')
    elif action in ("reboot", "reset"):
        known(arguments[0]).write_text("a")
    elif action == "shutdown":
        known(arguments[0]).write_text("p")
    elif action == "cancel":
        (MACHINES / arguments[0]).unlink(missing_ok=True)


main()
