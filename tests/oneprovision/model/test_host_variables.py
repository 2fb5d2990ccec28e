"""What of a host's configuration reaches its playbooks, and what of it is a secret."""

import base64
import json

from oneprovision.model.host_variables import configuration_variables, secret_values

TEMPLATE = {"inputs": [{"name": "pw", "type": "password"}, {"name": "size", "type": "text", "default": "xl"}]}


def test_the_variables_are_those_of_the_deployment_file():
    encoded = base64.b64encode(json.dumps({"level": "gold", "n": [1, 2]}).encode()).decode()
    assert configuration_variables({"configuration_base64": encoded}) == {"level": "gold", "n": [1, 2]}
    assert configuration_variables({}) == {}


def test_answers_to_password_inputs_and_values_under_telling_names_are_secrets():
    variables = {
        "db_password": "hunter22",
        "api": {"token": "t0ken", "url": "https://example.org"},
        "secrets": ["one", {"plain": "two"}],
        "token_enabled": True,
        "level": "gold",
    }
    assert secret_values(TEMPLATE, {"pw": "answer"}, [variables]) == {
        "answer",
        "hunter22",
        "t0ken",
        "one",
        "two",
    }


def test_without_secrets_there_is_nothing_to_hide():
    assert secret_values({}, {}, [{"level": "gold", "password": ""}]) == frozenset()
