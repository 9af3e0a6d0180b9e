"""What is delivered: where a source's files lie, whether they changed, and how they are read.

`deliveries.open_delivery` opens a delivery, `read_errors` turns Spark's error on an unreadable file into one sentence.
"""
