"""Whether pyone takes a document: its bindings are made from the schemas of OpenNebula.

The bindings drop what they do not know and keep their own order, so that a document which comes out of them
as it went in is one that they know in full.
"""

from io import StringIO
from xml.etree import ElementTree as Tree

# What the schemas leave open: pyone makes mappings of these.
ANYTHING = frozenset({"TEMPLATE", "USER_TEMPLATE", "MONITORING"})

# An address range keeps every attribute that it is given; the schemas have those of OpenNebula alone.
GIVEN = frozenset(
    {
        *("ONEFORM_MARK", "EXTERNAL_IP", "GATEWAY", "NETWORK_MASK", "DUMMY_ALLOCATION_ID", "PROVISION_ID"),
        "IPAM_MAD",
    }
)


def check(text: str) -> list[str]:
    """What is wrong with it, in words. The extended pool of VMs has each as `one.vm.info` answers it, which
    the bindings of pools do not know: each is looked at by itself."""
    root = Tree.fromstring(text)
    if root.tag == "VM_POOL":
        return [problem for vm in root for problem in _checked(Tree.tostring(vm, encoding="unicode"))]
    return _checked(text)


def _checked(text: str) -> list[str]:
    from pyone.bindings import supbind

    try:
        bound = supbind.parseString(text.encode(), silence=True)
    except supbind.GDSParseError as exc:
        return [str(exc)]
    _without_anything(bound)
    written = StringIO()
    bound.export(written, 0, namespacedef_="", pretty_print=False)
    sent, known = _outline(Tree.fromstring(text)), _outline(Tree.fromstring(written.getvalue()))
    return [] if sent == known else [f"sent  {sent}\nknown {known}"]


def _outline(root: Tree.Element) -> object:
    tag = root.tag.rpartition("}")[2]
    open_to = GIVEN if tag == "AR" else ANYTHING
    children = [_outline(child) for child in root if child.tag.rpartition("}")[2] not in open_to]
    return (tag, children) if children else (tag, (root.text or "").strip())


def _without_anything(bound: object) -> None:
    """The mappings cannot be written again."""
    for name, value in vars(bound).items():
        if name.endswith("_"):  # what the bindings keep for themselves, the way back up among it
            continue
        if name in ANYTHING:
            setattr(bound, name, None)
        for inner in value if isinstance(value, list) else [value]:
            if type(inner).__module__.startswith("pyone."):
                _without_anything(inner)
