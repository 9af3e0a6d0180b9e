"""The embedded store: immutable LMDB files, one per snapshot, and a pointer to the live one. No server.

`store.EmbeddedStore` is the store; `export` writes a snapshot from a `draft`, `reader` reads one.
"""
