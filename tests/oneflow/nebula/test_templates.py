"""Service templates whose VM templates are those of an OpenNebula."""

import pytest

from onecore.errors import OneError
from oneflow.usecases import templates
from tests.oneflow.builders import a_template
from tests.oneflow.nebula.site import Site


def test_vm_templates_of_an_opennebula_are_neither_copied_nor_deleted_from_here(site: Site):
    templates.create(site.deps, a_template())
    for ask in (
        lambda: templates.clone(site.deps, 0, "copy", with_vm_templates=True),
        lambda: templates.delete(site.deps, 0, with_vm_templates=True),
    ):
        with pytest.raises(OneError, match="are copied and deleted there") as refused:
            ask()
        assert refused.value.http_status == 501
    templates.clone(site.deps, 0, "copy")
    templates.delete(site.deps, 0)
