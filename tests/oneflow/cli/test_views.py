"""What `list` and `show` print, to the letter."""

import time

import pytest

from onecore.cli.listing import TableOptions, table
from onecore.cli.output import OutputFormat, sections
from oneflow.cli.listing import COLUMNS
from oneflow.cli.service_view import service_sections
from oneflow.cli.view import as_pool
from tests.oneflow.cli.documents import NOW, a_service

SHOWN = """\
SERVICE 5 INFORMATION
ID                  : 5
NAME                : web-application
USER                : alice
GROUP               : users
STRATEGY            : straight
SERVICE STATE       : RUNNING
START TIME          : 11/06 20:20:00
SHUTDOWN            : shutdown

PERMISSIONS
OWNER               : um-
GROUP               : ---
OTHER               : ---

ROLE frontend
ROLE STATE          : RUNNING
VM TEMPLATE         : 0
CARDINALITY         : 2
MIN VMS             : 1
MAX VMS             : 4
COOLDOWN            : 30s
SHUTDOWN            : shutdown

NODES INFORMATION
 VM_ID NAME                    STAT UCPU    UMEM HOST                       TIME
  ↓ 11 frontend_0_(service_5)  runn   67  120.3M dummy                  1d 02h02
  ↑ 12 -                       -       0      0K -                      0d 00h00

ELASTICITY RULES
ADJUST       EXPRESSION                                       EVALS PERIOD  COOL
- 20 % (1)   CUSTOM_ATT[50.0] > 40                             2/30     3s   30s
= 6          ATT=3                                                -      -     -

ELASTICITY SCHEDULES
ADJUST       TIME
+ 4          0 2 1-10 * *

ROLE worker
ROLE STATE          : PENDING
PARENTS             : frontend, nfs
VM TEMPLATE         : 7
CARDINALITY         : 1

NODES INFORMATION
 VM_ID NAME                    STAT UCPU    UMEM HOST                       TIME

LOG MESSAGES
11/06/26 21:19 [I] New state: RUNNING
11/06/26 21:20 [E] VM 12 failed: out of stock
"""

LISTED = """\
        ID USER            GROUP           NAME                      STATE
         5 alice           users           web-application           RUNNING
"""

LATER = """\
  ID STAT        STARTTIME       ROLES
   5 RUNNING     11/06 20:20:00  frontend:2/2,worker:0/1
"""


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_show_of_a_service(capsys):
    sections(service_sections(a_service(), NOW))
    assert capsys.readouterr().out == SHOWN


def test_list_of_services(capsys):
    table(COLUMNS, lambda: [a_service()], TableOptions(), as_pool)
    assert capsys.readouterr().out == LISTED


def test_columns_of_later_releases_can_be_chosen(capsys):
    table(COLUMNS, lambda: [a_service()], TableOptions(columns=("ID", "STAT", "STARTTIME", "ROLES")), as_pool)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [line.split() for line in LATER.splitlines()]


def test_an_empty_list_as_json_is_the_pool_without_its_inner_key(capsys):
    table(COLUMNS, list, TableOptions(fmt=OutputFormat.JSON), as_pool)
    assert capsys.readouterr().out.split() == ["{", '"DOCUMENT_POOL":', "{}", "}"]
