"""Everything that touches the world: the record, notices, files, published calendars."""
