CREATE TABLE sequence (
    kind TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT;

CREATE TABLE user_group (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE user (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    gid      INTEGER NOT NULL REFERENCES user_group (id)
) STRICT;

-- One worker at a time: the token grows with every claim, a write under an older one is refused.
CREATE TABLE lease (
    key        TEXT PRIMARY KEY,
    token      INTEGER NOT NULL,
    owner      TEXT,
    purpose    TEXT NOT NULL DEFAULT '',
    expires_at REAL NOT NULL
) STRICT;

CREATE TABLE provider (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    driver      TEXT NOT NULL,
    uid         INTEGER NOT NULL,
    gid         INTEGER NOT NULL,
    permissions INTEGER NOT NULL,
    body        TEXT NOT NULL,
    connection  TEXT NOT NULL,
    created_at  REAL NOT NULL
) STRICT;

-- What a provider bills: a machine or a public address. `name` is the owner tag and the idempotency key.
CREATE TABLE resource (
    id          INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('machine', 'address')),
    name        TEXT NOT NULL UNIQUE,
    owner       TEXT NOT NULL,
    driver      TEXT NOT NULL,
    provider_id INTEGER REFERENCES provider (id),
    number      INTEGER NOT NULL,
    label       TEXT NOT NULL,
    wanted      TEXT NOT NULL CHECK (wanted IN ('present', 'absent')),
    state       TEXT NOT NULL,
    deploy_id   TEXT NOT NULL,
    deployment  TEXT NOT NULL,
    lag_s       REAL NOT NULL,
    addresses   TEXT NOT NULL,
    metrics     TEXT NOT NULL,
    failures    INTEGER NOT NULL,
    since       REAL NOT NULL,
    next_at     REAL NOT NULL,
    error       TEXT NOT NULL
) STRICT;
CREATE INDEX resource_owner ON resource (owner);

-- The journal: a row is committed before a driver starts, its end after it answered. AUTOINCREMENT: the number
-- of a removed row names run files that may still be there, so it is never given again.
CREATE TABLE operation (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    resource_id INTEGER NOT NULL,
    owner       TEXT NOT NULL,
    verb        TEXT NOT NULL,
    attempt     INTEGER NOT NULL,
    token       INTEGER NOT NULL,
    started_at  REAL NOT NULL,
    deadline    REAL NOT NULL,
    ended_at    REAL,
    outcome     TEXT,
    answer      TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX operation_open ON operation (owner) WHERE ended_at IS NULL;
CREATE INDEX operation_resource ON operation (resource_id);

CREATE TABLE event (
    id      INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    at      REAL NOT NULL,
    level   TEXT NOT NULL,
    action  TEXT NOT NULL,
    text    TEXT NOT NULL
) STRICT;
CREATE INDEX event_subject ON event (subject, id);
