-- Which database this is: files beside it carry the id. One row.
CREATE TABLE identity (
  id BLOB NOT NULL,
  settled INTEGER NOT NULL,       -- 1: the files beside it carry the id
  older INTEGER NOT NULL          -- 1: it had records before it had an id
) STRICT;
INSERT INTO identity
  SELECT randomblob(16), 0, EXISTS (SELECT 1 FROM executions) OR EXISTS (SELECT 1 FROM packs)
                            OR EXISTS (SELECT 1 FROM instances);

-- Each time that a controller opened it, as the files beside it were told.
CREATE TABLE openings (number INTEGER PRIMARY KEY, token BLOB NOT NULL) STRICT;

-- Packs that had records, or were about to, and have none by a decision of this database: their files may go.
CREATE TABLE dropped_packs (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
