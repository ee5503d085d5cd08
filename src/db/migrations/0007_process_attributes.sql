-- Of the submitting shell, beside its variables: spec_codec.h's bytes. NULL: none were given.
ALTER TABLE shell_environments ADD COLUMN attributes BLOB;
