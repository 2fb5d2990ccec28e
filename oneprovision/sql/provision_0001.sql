CREATE TABLE provision (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,
    uid         INTEGER NOT NULL,
    gid         INTEGER NOT NULL,
    permissions INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    provider_id INTEGER REFERENCES provider (id),
    template    TEXT NOT NULL,
    inputs      TEXT NOT NULL,
    options     TEXT NOT NULL,
    description TEXT NOT NULL,
    tags        TEXT NOT NULL,
    error       TEXT NOT NULL,
    stop        TEXT NOT NULL,
    created_at  REAL NOT NULL
) STRICT;

-- Clusters, datastores, networks and hosts. `registered` is set once the object is in service.
CREATE TABLE object (
    kind         TEXT NOT NULL,
    id           INTEGER NOT NULL,
    provision_id INTEGER NOT NULL REFERENCES provision (id),
    name         TEXT NOT NULL,
    registered   INTEGER NOT NULL,
    body         TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;
CREATE INDEX object_provision ON object (provision_id);
