"""The actions of the driver: machines of Amazon EC2.

The tag `onesuite:name` is the owner tag. The client token makes a repeated request answer the same machine:
https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
"""

import hashlib

import ec2_addresses
import ec2_offers
from ec2_api import Api
from ec2_request import NAME, wanted
from onecore.drivers.kit import Call, Failed, waiting
from onecore.drivers.kit.fleet import ERROR, OFF, PENDING, RUNNING, Fleet, Machine, actions
from onecore.drivers.kit.http import Refused
from onecore.drivers.kit.memory import Memory
from onecore.drivers.kit.surroundings import clock, one_home
from onecore.drivers.kit.values import Json, at, rows, text

# EC2 itself cuts the power of a system that does not stop in order, after some minutes.
STOPPED_S = 600.0
SEEN_S = 120.0
# Tokens are remembered longer than machines live: so many dead ones of a name are passed over.
MOST_LIVES = 50

_STATES = {
    "running": RUNNING,
    "stopped": OFF,
    "stopping": PENDING,
    "pending": PENDING,
    "shutting-down": PENDING,
}
_LEAVING = ("shutting-down", "terminated")


class Ec2:
    """One account in one region (a Cloud of kit.fleet)."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._clock = clock()

    def named(self, name: str) -> list[Machine]:
        """A machine that is being removed is not one to be found again."""
        found = self._described(Filters=[{"Name": f"tag:{NAME}", "Values": [name]}])
        return [_machine(each) for each in found if _state(each) not in _LEAVING]

    def get(self, machine_id: str) -> Machine | None:
        found = self._api.find("describe_instances", InstanceIds=[machine_id])
        instances = [each for r in rows(found, "Reservations") for each in rows(r, "Instances")]
        return next((_machine(each) for each in instances if _state(each) != "terminated"), None)

    def every(self) -> list[Machine]:
        found = self._described(Filters=[{"Name": "tag-key", "Values": [NAME]}])
        return [_machine(each) for each in found if _state(each) != "terminated"]

    def create(self, call: Call) -> str:
        """A token whose machine is dead is of an earlier life of the name: the next one is made of it, and so
        every repetition takes the same way."""
        arguments, token = wanted(call, self._api), _token(call.name)
        for _ in range(MOST_LIVES):
            answer = self._api.call("run_instances", ClientToken=token, **arguments)
            [made] = rows(answer, "Instances")
            if self._life(text(made, "InstanceId")) not in _LEAVING:
                return text(made, "InstanceId")
            token = _token(f"{token}/{text(made, 'InstanceId')}")
        raise Failed(f"EC2 answers only dead machines for '{call.name}'")

    def remove(self, machine_id: str) -> bool:
        return self._api.find("terminate_instances", InstanceIds=[machine_id]) is not None

    def power_on(self, machine: Machine) -> None:
        self._await(machine, RUNNING, OFF)
        self._api.call("start_instances", InstanceIds=[machine.id])

    def reboot(self, machine: Machine, host: str) -> None:
        """In order; EC2 restarts a system that does not listen by itself."""
        self._api.call("reboot_instances", InstanceIds=[machine.id])

    def reset(self, machine: Machine) -> None:
        """There is no verb for it: the plug is pulled, and put in again."""
        try:
            self._api.call("stop_instances", InstanceIds=[machine.id], SkipOsShutdown=True)
        except Refused:  # an older region, or an older botocore
            self._api.call("stop_instances", InstanceIds=[machine.id], Force=True)
        self._await(machine, OFF)
        self._api.call("start_instances", InstanceIds=[machine.id])
        self._await(machine, RUNNING)

    def shutdown(self, machine: Machine, host: str) -> None:
        self._api.call("stop_instances", InstanceIds=[machine.id])
        self._await(machine, OFF)

    def _await(self, machine: Machine, *states: str) -> None:
        def reached() -> bool | None:
            now = self.get(machine.id)
            return True if now is None or now.state in states else None

        if not waiting.until(reached, self._clock, STOPPED_S):
            raise Failed(f"machine {machine.id} is not {' or '.join(states)} after {STOPPED_S:.0f} s")

    def _life(self, machine_id: str) -> str:
        """The state, which may take a while to be known (eventual consistency)."""

        def known() -> str | None:
            found = self._api.find("describe_instances", InstanceIds=[machine_id])
            instances = [each for r in rows(found, "Reservations") for each in rows(r, "Instances")]
            return _state(instances[0]) if instances else None

        return waiting.until(known, self._clock, SEEN_S) or ""

    def _described(self, **arguments: object) -> list[Json]:
        reservations = self._api.every("describe_instances", "Reservations", **arguments)
        return [each for reservation in reservations for each in rows(reservation, "Instances")]


def _machine(found: Json) -> Machine:
    tags = {text(tag, "Key"): text(tag, "Value") for tag in rows(found, "Tags")}
    addresses = [text(found, "PublicIpAddress"), text(found, "PrivateIpAddress")]
    state = _STATES.get(_state(found), ERROR)
    return Machine(text(found, "InstanceId"), tags.get(NAME, ""), state, tuple(filter(None, addresses)))


def _state(found: Json) -> str:
    return text(at(found, "State"), "Name")


def _token(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def _fleet(action: str) -> Fleet:
    return Fleet(Ec2(Api()), Memory(one_home(), "ec2"))


ACTIONS = {**actions(_fleet), **ec2_addresses.ACTIONS, **ec2_offers.ACTIONS}
