-- One row. It goes up with whatever may refer to a blob of the store: executions, with their creation and their
-- output, and packs. Collection removes nothing on the ground of older references.
CREATE TABLE reference_changes (number INTEGER NOT NULL) STRICT;
INSERT INTO reference_changes VALUES (0);
