"""Features of a bike rental: who rides how much, when, and beside whom. One definition, one file."""
