-- The first schema. Ids are 16 bytes (UUIDv7: their order is that of their making), digests 32;
-- times are microseconds since the epoch, UTC; enumerations are numbered in model/*.h. Rows name
-- each other by `number`, which stays within the database.

-- What changes in the life of an execution, and what it is looked up by.
CREATE TABLE executions (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  version INTEGER NOT NULL,
  state INTEGER NOT NULL,
  user TEXT NOT NULL,
  project TEXT NOT NULL,
  composite INTEGER NOT NULL,     -- 1: it has parts, and does not run itself
  parent BLOB,                    -- of a part: the id of its composite
  first_index INTEGER,            -- of a part
  instance BLOB,
  attempts INTEGER NOT NULL,
  attempt BLOB,
  waiting_for TEXT NOT NULL,
  stop_requested INTEGER NOT NULL,
  submitted INTEGER,
  assigned INTEGER,
  started INTEGER,
  command_ended INTEGER,
  finished INTEGER,
  outcome INTEGER,                -- set when finished, and only then
  exit_status INTEGER,
  signal INTEGER,
  out_of_memory INTEGER,
  reason TEXT,
  output_tree BLOB,
  output_bytes INTEGER NOT NULL,
  shell_environment INTEGER       -- until it is finished
) STRICT;
CREATE INDEX executions_by_user ON executions (user, id, parent);
CREATE INDEX executions_by_project ON executions (user, project, id, parent);
CREATE INDEX executions_of_top_level ON executions (id, user, project) WHERE parent IS NULL;
CREATE INDEX executions_unfinished ON executions (id) WHERE state < 4;
CREATE INDEX executions_by_parent ON executions (parent, first_index, id) WHERE parent IS NOT NULL;
CREATE INDEX executions_by_instance ON executions (instance, id) WHERE instance IS NOT NULL;
CREATE INDEX executions_by_shell_environment ON executions (shell_environment) WHERE shell_environment IS NOT NULL;

-- Apart from executions, whose rows are written often: spec_codec.h's bytes, never changed.
CREATE TABLE specs (number INTEGER PRIMARY KEY, spec BLOB NOT NULL) STRICT;

-- As history shows them: JSON text.
CREATE TABLE documents (number INTEGER PRIMARY KEY, document TEXT NOT NULL) STRICT;

-- Secret. One row may serve a composite and all of its parts.
CREATE TABLE shell_environments (number INTEGER PRIMARY KEY, variables BLOB NOT NULL) STRICT;

CREATE TABLE idempotency_keys (
  user TEXT NOT NULL,
  key TEXT NOT NULL,
  execution BLOB NOT NULL,
  PRIMARY KEY (user, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_execution ON idempotency_keys (execution);

CREATE TABLE attempts (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  execution BLOB NOT NULL,
  instance BLOB NOT NULL,
  ordinal INTEGER NOT NULL,       -- 1 for the execution's first
  gpu_ids BLOB NOT NULL,          -- spec_codec.h
  started INTEGER,
  ended INTEGER,
  log_bytes INTEGER NOT NULL,
  log_complete INTEGER NOT NULL
) STRICT;
CREATE INDEX attempts_by_execution ON attempts (execution, ordinal);

-- Append-only. `parallel_index`: the least integer stands for none.
CREATE TABLE measures (
  attempt INTEGER NOT NULL,       -- attempts.number
  sequence INTEGER NOT NULL,
  parallel_index INTEGER NOT NULL,
  path TEXT NOT NULL,
  time INTEGER NOT NULL,
  value TEXT NOT NULL,            -- JSON, exactly as it came
  PRIMARY KEY (attempt, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX measures_by_path ON measures (attempt, path, sequence);

-- Which event is the latest of its path.
CREATE TABLE latest_measures (
  attempt INTEGER NOT NULL,
  parallel_index INTEGER NOT NULL,
  path TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (attempt, parallel_index, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE instances (
  id BLOB PRIMARY KEY,
  provider TEXT NOT NULL,
  type TEXT NOT NULL,
  host_name TEXT NOT NULL,
  state INTEGER NOT NULL,
  cpus REAL NOT NULL,
  memory_bytes INTEGER NOT NULL,
  gpus BLOB NOT NULL,             -- spec_codec.h
  runtimes BLOB NOT NULL,         -- spec_codec.h
  created INTEGER NOT NULL,
  idle_since INTEGER,
  disposal INTEGER,
  last_seen INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX instances_present ON instances (id) WHERE state < 3;

-- A pack has a row while a blob's record names it; the sums are over those.
CREATE TABLE packs (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  pack_bytes INTEGER NOT NULL,
  blobs INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE blobs (
  digest BLOB PRIMARY KEY,
  pack INTEGER NOT NULL,          -- packs.number
  position INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  codec INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (id BLOB PRIMARY KEY, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;
