"""Policies that OneFlow's own server takes otherwise are told."""

from oneflow.elasticity.legacy import taken_otherwise


def role(**policies: object) -> dict[str, object]:
    return {"name": "web", **policies}


def test_each_policy_whose_expression_means_something_else_is_named():
    policies = [{"expression": "A > 1 & B > 1 | C > 1"}, {"expression": "A > 1 & (B > 1 | C > 1)"}]
    assert list(taken_otherwise([role(elasticity_policies=policies)])) == [
        "role web: 'A > 1 & B > 1 | C > 1' means something else here: say with ( ) what is meant"
    ]


def test_what_has_no_policies_or_cannot_be_read_has_no_note():
    assert list(taken_otherwise(None)) == []
    odd = role(elasticity_policies=[{}, {"expression": "A >"}], scheduled_policies=[{"adjust": 1}])
    assert list(taken_otherwise([role(), odd])) == []
