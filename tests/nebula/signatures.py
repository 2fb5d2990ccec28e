"""The calls that the test server knows: the types of their arguments after the session, in order.

Taken from the XML-RPC API reference of OpenNebula and the signatures that its server declares.
"""

from dataclasses import dataclass

TYPES = {"i": int, "s": str, "b": bool}
Version = tuple[int, int, int]


@dataclass(frozen=True)
class Signature:
    """`types`: a letter for each argument (i integer, s string, b boolean). The last `optional` of them may
    be left out. `since`: the first version of the server that has the call."""

    types: str
    optional: int = 0
    since: Version = (5, 4, 0)

    def problem(self, arguments: tuple[object, ...]) -> str:
        """Why these arguments are refused; empty when they fit."""
        least = len(self.types) - self.optional
        if not least <= len(arguments) <= len(self.types):
            return f"{len(arguments)} arguments in place of {least} to {len(self.types)}"
        for at, (letter, given) in enumerate(zip(self.types, arguments, strict=False)):
            if type(given) is not TYPES[letter]:
                return f"argument {at + 1} is a {type(given).__name__}, not a {TYPES[letter].__name__}"
        return ""


SIGNATURES = {
    "one.system.version": Signature(""),
    "one.user.info": Signature("ib", optional=1),
    "one.user.login": Signature("ssii", optional=1),
    "one.userpool.info": Signature(""),
    "one.grouppool.info": Signature(""),
    "one.template.info": Signature("ibb", optional=2),
    "one.template.instantiate": Signature("isbsb", optional=3),
    "one.templatepool.info": Signature("iii"),
    "one.vm.info": Signature("ib", optional=1),
    "one.vm.action": Signature("si"),
    "one.vm.recover": Signature("ii"),
    "one.vm.chown": Signature("iii"),
    "one.vm.update": Signature("isi"),
    "one.vm.snapshotcreate": Signature("is"),
    "one.vm.snapshotrevert": Signature("ii"),
    "one.vm.snapshotdelete": Signature("ii"),
    "one.vm.disksnapshotcreate": Signature("iis"),
    "one.vm.disksnapshotrevert": Signature("iii"),
    "one.vm.disksnapshotdelete": Signature("iii"),
    "one.vrouterpool.info": Signature("iii"),
    "one.vrouter.info": Signature("ib", optional=1),
    "one.vrouter.allocate": Signature("s"),
    "one.vrouter.instantiate": Signature("iiisbs"),
    "one.vrouter.chown": Signature("iii"),
    "one.vrouter.delete": Signature("i"),
    "one.clusterpool.info": Signature(""),
    "one.cluster.allocate": Signature("s"),
    "one.cluster.update": Signature("isi"),
    "one.cluster.rename": Signature("is"),
    "one.cluster.delete": Signature("i"),
    "one.datastorepool.info": Signature(""),
    "one.datastore.allocate": Signature("si"),
    "one.datastore.delete": Signature("i"),
    "one.vn.allocate": Signature("si"),
    "one.image.delete": Signature("ib", optional=1),
    "one.vn.add_ar": Signature("is"),
    "one.vn.rm_ar": Signature("iib", optional=1),
    "one.hostpool.info": Signature(""),
    "one.host.allocate": Signature("sssi"),
    "one.host.update": Signature("isi"),
    "one.host.status": Signature("ii"),
    "one.host.delete": Signature("i"),
    "one.document.info": Signature("ib", optional=1, since=(5, 12, 0)),
    "one.documentpool.info": Signature("iiii"),
    "one.vntemplate.instantiate": Signature("iss"),
    "one.vn.reserve": Signature("is"),
    "one.vn.delete": Signature("ib", optional=1),
    "one.vn.info": Signature("ib", optional=1),
    "one.vnpool.info": Signature("iii"),
    "one.vmpool.infoextended": Signature("iiiis", optional=1, since=(5, 8, 0)),
    "one.vmpool.monitoring": Signature("ii", since=(6, 0, 0)),  # before, it has no second one
}
