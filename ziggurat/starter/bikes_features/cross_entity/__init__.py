"""The top: an entity beside the others of its group."""
