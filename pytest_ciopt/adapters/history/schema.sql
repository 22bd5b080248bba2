-- The index of a history, see docs/reference/index-schema.md. Times are microseconds.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE source (
    name TEXT PRIMARY KEY,      -- file in segments/
    size INTEGER NOT NULL       -- bytes
) WITHOUT ROWID;

CREATE TABLE environment (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE   -- e.g. cpython-3.12-linux-x86_64
);

CREATE TABLE run (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,    -- sorts by time
    source TEXT NOT NULL,
    environment INTEGER NOT NULL REFERENCES environment,
    start TEXT NOT NULL,        -- its first line, JSON
    finish TEXT,                -- its last line, JSON; NULL for a run not recorded to its end
    outcomes TEXT NOT NULL,     -- tests by outcome, e.g. .120 F3
    seconds REAL NOT NULL       -- of all tests, seconds
);

CREATE TABLE subject (          -- what takes time
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,         -- test, module or fixture
    id TEXT NOT NULL,           -- node id from the top of the repository
    UNIQUE (kind, id)
);

CREATE TABLE result (           -- the newest 50 of each subject and environment
    subject INTEGER NOT NULL REFERENCES subject,
    environment INTEGER NOT NULL REFERENCES environment,
    run INTEGER NOT NULL REFERENCES run,
    outcome TEXT NOT NULL,      -- . F E s x X R
    setup INTEGER NOT NULL,
    call INTEGER NOT NULL,
    teardown INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    failure TEXT,               -- first line
    PRIMARY KEY (subject, environment, run)
) WITHOUT ROWID;

CREATE TABLE estimate (
    subject INTEGER NOT NULL REFERENCES subject,
    environment INTEGER NOT NULL REFERENCES environment,
    setup REAL NOT NULL,        -- seconds, as the others here
    call REAL NOT NULL,
    teardown REAL NOT NULL,
    spread REAL NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (subject, environment)
) WITHOUT ROWID;
