-- SHA-256 of the request that a key stands for: NULL where an older plz stored it.
ALTER TABLE idempotency_keys ADD COLUMN request BLOB;
