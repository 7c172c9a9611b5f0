"""One file per noun: SQL in, frozen nouns out. Plain functions over a connection, the same for both engines."""
