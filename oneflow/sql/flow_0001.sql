-- Services, service templates and VM templates. `type` as in OpenNebula: 100, 101, and 'vm' for our VM templates.
-- `state` is a service's (NULL for templates). `version` is the number of its last change, counted over all
-- documents: whoever drives services finds what changed since it last looked.
CREATE TABLE document (
    type        TEXT NOT NULL CHECK (type IN ('100', '101', 'vm')),
    id          INTEGER NOT NULL,
    name        TEXT NOT NULL,
    uid         INTEGER NOT NULL,
    gid         INTEGER NOT NULL,
    permissions INTEGER NOT NULL,
    body        TEXT NOT NULL,
    state       INTEGER,
    version     INTEGER NOT NULL,
    created_at  REAL NOT NULL,
    PRIMARY KEY (type, id)
) STRICT;
CREATE INDEX document_version ON document (version) WHERE state IS NOT NULL;

-- What a VM is apart from its machine: `machine` is the record of the latter (table resource). `user_template`
-- is what the VM reports of itself; `token` is the nonce that what it proves itself with is derived from; `ready_at` is when it
-- said READY=YES, 0 if it has not since it was last started.
CREATE TABLE vm (
    id            INTEGER PRIMARY KEY,
    service_id    INTEGER NOT NULL,
    role          TEXT NOT NULL,
    number        INTEGER NOT NULL,
    name          TEXT NOT NULL,
    vm_template   INTEGER NOT NULL,
    machine       INTEGER,
    template      TEXT NOT NULL,
    user_template TEXT NOT NULL,
    token         TEXT NOT NULL,
    ready_at      REAL NOT NULL DEFAULT 0,
    created_at    REAL NOT NULL
) STRICT;
CREATE INDEX vm_service ON vm (service_id);

-- Actions on the VMs of a role in groups of `number` every `period` seconds. `left_vms` are still to be acted on;
-- with `acting_vms` it has begun, and after a crash it begins again.
CREATE TABLE job (
    id         INTEGER PRIMARY KEY,
    service_id INTEGER NOT NULL,
    role       TEXT NOT NULL,
    action     TEXT NOT NULL,
    args       TEXT NOT NULL,
    period     REAL NOT NULL,
    number     INTEGER NOT NULL,
    left_vms   TEXT NOT NULL,
    acting_vms TEXT NOT NULL,
    next_at    REAL NOT NULL,
    created_at REAL NOT NULL
) STRICT;
CREATE INDEX job_service ON job (service_id);

INSERT INTO document (type, id, name, uid, gid, permissions, body, version, created_at)
VALUES ('vm', 0, 'dummy', 0, 0, 420, '{"driver":"dummy","template":{"CPU":"1","MEMORY":"1024",'
    || '"CONTEXT":{"DISK_ID":"0","NETWORK":"YES","TARGET":"hda"}}}', 0, 0);
INSERT INTO sequence (kind, next) VALUES ('vm_template', 1);
