"""What a driver answers is freed from secrets before anything is made of it."""

import pytest

from onecore.drivers import protocol
from onecore.drivers.secrecy import betrays, masked, masked_text, read
from onecore.errors import DriverFailed
from onecore.process import Ended, Outcome

TOKEN = "t0ken/with+odd&characters=0123456789"
KEY = "-----BEGIN KEY-----\nfirst line of it\nsecond line of it\n-----END KEY-----\n"


def test_a_secret_of_many_lines_is_masked_line_by_line() -> None:
    assert masked(b"read: second line of it", [KEY]) == b"read: *****"


@pytest.mark.parametrize(
    "spelling",
    [
        TOKEN,
        "t0ken%2Fwith%2Bodd%26characters%3D0123456789",
        "dDBrZW4vd2l0aCtvZGQmY2hhcmFjdGVycz0wMTIzNDU2Nzg5",
    ],
)
def test_a_failure_masks_a_secret_in_every_spelling(spelling: str) -> None:
    outcome = Outcome(Ended.EXITED, 1, b"", f"401 from https://x/?t={spelling}".encode(), 0.1)
    assert spelling not in protocol.failure("cloud", "deploy", "h", outcome, (TOKEN,)).message


def test_a_failure_masks_what_looks_like_a_secret_without_knowing_it() -> None:
    outcome = Outcome(Ended.EXITED, 1, b"", b"refused: password=hunter2", 0.1)
    assert "hunter2" not in protocol.failure("cloud", "deploy", "h", outcome).message


def test_a_quoted_answer_shows_no_half_of_a_secret() -> None:
    long = "s3cret" * 40
    with pytest.raises(DriverFailed) as refused:
        read(protocol.parse_deploy_id, f"one\n{long}".encode(), [long])
    assert "s3cret" not in refused.value.message


def test_an_answer_that_only_a_secret_spoils_is_refused_without_quoting_it() -> None:
    secret = "x" * 600
    with pytest.raises(DriverFailed) as refused:
        read(protocol.parse_deploy_id, secret.encode(), [secret])
    assert "xxx" not in refused.value.message


def test_an_answer_that_can_be_read_is_read_as_it_is() -> None:
    assert read(protocol.parse_deploy_id, b"eu-west-1/i-7\n", ["eu-west-1"]) == "eu-west-1/i-7"


@pytest.mark.parametrize(
    ("text", "secret", "expected"),
    [
        (TOKEN, TOKEN, True),
        (f"vm-{TOKEN}", TOKEN, True),
        ("eu-west-1/i-7", "eu-west-1", False),
        ("admin", "admin", True),
        ("i-7", "7", False),
        ("", TOKEN, False),
    ],
)
def test_an_id_betrays_only_what_can_be_nothing_but_a_secret(text: str, secret: str, expected: bool) -> None:
    assert betrays(text, [secret]) is expected


def test_text_without_secrets_stays_as_it_is() -> None:
    assert masked_text("machine i-7 does not exist", []) == "machine i-7 does not exist"
