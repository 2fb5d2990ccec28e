"""Every route of OneForm that its clients know is there: reference 2 (its first server) and 8 (the next)."""

from oneprovision.api import app

ROUTES = """
GET /; GET /drivers; GET /drivers/{name}; POST /drivers/sync; POST /drivers/{name}/enable
POST /drivers/{name}/disable
GET /providers; GET /providers/{id}; GET /providers/{id}/path; GET /providers/{id}/inputs; POST /providers
PATCH /providers/{id}; DELETE /providers/{id}
POST /providers/{id}/chmod; POST /providers/{id}/chown; POST /providers/{id}/chgrp
GET /provisions; GET /provisions/{id}; GET /provisions/{id}/unmanaged; POST /provisions
PATCH /provisions/{id}; DELETE /provisions/{id}
POST /provisions/{id}/undeploy; POST /provisions/{id}/recover; POST /provisions/{id}/retry
POST /provisions/{id}/scale; POST /provisions/{id}/add-ip; POST /provisions/{id}/remove-ip
POST /provisions/{id}/chmod; POST /provisions/{id}/chown; POST /provisions/{id}/chgrp
GET /provisions/{id}/logs; GET /provisions/{id}/logs/poll
POST /provisions/{id}/cancel; POST /provisions/{id}/hosts; DELETE /provisions/{id}/hosts
POST /provisions/{id}/public-network/ips; DELETE /provisions/{id}/public-network/ips/{ar_id}
GET /provisions/{id}/inputs; GET /provisions/{id}/tfstate; GET /provisions/{id}/cluster
GET /provisions/{id}/hosts; GET /provisions/{id}/networks; GET /provisions/{id}/datastores
GET /provisions/{id}/jobs
"""
OURS = {"GET /api/v1/openapi.json", "GET /openapi.json", "POST /api/v1/provisions/{id}/configure"}


def test_the_routes_are_those_of_oneform_and_a_few_of_ours():
    known = {each.strip().replace(" ", f" {app.BASE}", 1) for each in ROUTES.replace("\n", ";").split(";")}
    offered = {f"{operation.method} {operation.path}" for operation in app.operations()}
    assert known - {""} - offered == set()
    assert offered - known <= OURS


def test_flags_are_no_numbers_in_the_openapi_document():
    paths = app.described()["paths"]
    asked = paths[f"{app.BASE}/provisions/{{id}}/hosts"]["delete"]["parameters"]
    types = {each["name"]: each["schema"]["type"] for each in asked if each["in"] == "query"}
    assert types == {"ids": "string", "amount": "integer", "force": "string"}
