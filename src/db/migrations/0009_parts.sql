-- Parts of a composite share its spec, its submitting shell and its document, which would be said anew a hundred
-- thousand times. An older row has a spec of its own: NULL in both columns.
ALTER TABLE executions ADD COLUMN spec INTEGER;         -- of a part: specs.number of its composite
ALTER TABLE executions ADD COLUMN end_index INTEGER;    -- of such a part: it runs [first_index, end_index)

-- What is listed by user and project is never a part: that its parts are many slows nobody down. Nor where the
-- unfinished are listed: the index tells parts from others.
DROP INDEX executions_by_user;
DROP INDEX executions_by_project;
DROP INDEX executions_unfinished;
CREATE INDEX executions_by_user ON executions (user, id) WHERE parent IS NULL;
CREATE INDEX executions_by_project ON executions (user, project, id) WHERE parent IS NULL;
CREATE INDEX executions_unfinished ON executions (id, parent) WHERE state < 4;
