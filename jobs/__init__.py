"""RUN: one short file per job: versions in, commits out."""
