-- What an execution ran in, where that was a container: image_id is NULL where it was none, or is not known.
ALTER TABLE executions ADD COLUMN image_id TEXT;
ALTER TABLE executions ADD COLUMN image_digest TEXT;
