-- Blobs whose bytes are not what was stored: they count as missing until they are stored again.
CREATE TABLE damaged_blobs (digest BLOB PRIMARY KEY, fault TEXT NOT NULL) STRICT, WITHOUT ROWID;
