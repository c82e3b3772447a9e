-- Archives need the CRC-32 of their contents, which is computed when a content is first put into one.

alter table blob
    -- Null: not computed yet.
    add column crc32 bigint check (crc32 between 0 and 4294967295);
