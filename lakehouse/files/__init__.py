"""What is delivered: where a source's files lie, whether they changed, and how they are read.

`deliveries.open_delivery` opens a delivery, `read_errors` turns what Spark says of an unreadable file into a sentence.
"""
