-- The OpenTofu state of a provision, encrypted: it holds secrets, and it is the only trace of what exists.
CREATE TABLE tofu_state (
    provision_id INTEGER PRIMARY KEY,
    sealed       TEXT NOT NULL,
    saved_at     REAL NOT NULL
) STRICT;

-- What is known of the OneForm drivers since they were last looked at.
CREATE TABLE oneform_driver (
    name      TEXT PRIMARY KEY,
    state     TEXT NOT NULL,
    checksum  TEXT NOT NULL,
    error     TEXT NOT NULL,
    synced_at REAL NOT NULL
) STRICT;
