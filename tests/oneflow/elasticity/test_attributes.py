import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneflow.elasticity.attributes import average, averages, running_sources


def a_vm(state="3", lcm_state="3", **sections):
    return {"STATE": state, "LCM_STATE": lcm_state, **sections}


def said(*readings):
    return [{"USER_TEMPLATE": {"ATT": reading}} for reading in readings]


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        (["50"], 50.0),
        (["50", "60"], 55.0),
        (["1", "1", "2"], 1.33),
        (["1", "2", "2"], 1.67),
        (["0.125"], 0.13),
        (["-0.125"], -0.13),
        (["-0.001"], 0.0),
        (["abc"], 0.0),
        (["abc", "10"], 5.0),
        ([""], 0.0),
        (["12%"], 12.0),
        ([" 12.5 MB"], 12.5),
        (["1e3"], 1000.0),
        (["1_000"], 1000.0),
        ([".5"], 0.5),
        (["0x10"], 0.0),
        (["nan"], 0.0),
        (["1e999"], 0.0),
        ([7, 8.0], 7.5),
        ([10**400], 0.0),
        ([], None),
        ([None], None),
        ([["1", "2"]], None),
        ([{"A": "1"}, "4"], 4.0),
        (["1e308", "1e308"], None),
    ],
)
def test_the_average_is_over_the_machines_that_have_the_attribute(readings, expected):
    assert average("att", said(*readings)) == expected


def test_the_first_source_that_has_it_is_the_only_one_that_counts():
    report, measured, both = (
        {"USER_TEMPLATE": {}, "MONITORING": {}, "VM": {"CPU": "9"}, "TEMPLATE": {"CPU": "1"}},
        {"USER_TEMPLATE": {}, "MONITORING": {"CPU": "20"}, "VM": {"CPU": "9"}},
        {"USER_TEMPLATE": {"CPU": "30"}, "MONITORING": {"CPU": "20"}},
    )
    assert [average("CPU", [vm]) for vm in (report, measured, both)] == [9.0, 20.0, 30.0]
    assert average("CPU", [report, measured, both]) == 19.67


def test_a_vector_hides_the_later_sources_of_its_machine():
    assert average("DISK", [{"USER_TEMPLATE": {"DISK": []}, "VM": {"DISK": "5"}}]) is None


def test_only_running_machines_are_asked():
    vms = [
        a_vm(USER_TEMPLATE={"ATT": "10"}),
        a_vm(state=3, lcm_state=3, USER_TEMPLATE={"ATT": "20"}),
        a_vm(lcm_state="16", USER_TEMPLATE={"ATT": "1000"}),
        a_vm(state="8", USER_TEMPLATE={"ATT": "1000"}),
        {"USER_TEMPLATE": {"ATT": "1000"}},
    ]
    assert average("ATT", running_sources(vms)) == 15.0


def test_a_document_without_sections_is_no_trouble():
    vms = running_sources([a_vm(CPU="9", USER_TEMPLATE="", MONITORING=[], TEMPLATE=None)])
    assert averages(["CPU", "ATT"], vms) == {"CPU": 9.0, "ATT": None}


@given(
    st.lists(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.booleans(), st.lists(st.text())))
)
def test_whatever_machines_report_the_average_is_a_number_or_none(readings):
    found = average("ATT", said(*readings))
    assert found is None or found == found


@given(st.lists(st.integers(-1000, 1000), min_size=1))
def test_the_average_lies_between_the_extremes(readings):
    found = average("ATT", said(*map(str, readings)))
    assert min(readings) <= found <= max(readings)
