-- What the image of an execution was built upon: NULL where it is not known, or it was not built by plz.
ALTER TABLE executions ADD COLUMN image_base_id TEXT;
ALTER TABLE executions ADD COLUMN image_base_digest TEXT;
