"""The SQL statements about rooms: one function, one statement."""
