"""What goes between the record and the cache."""
