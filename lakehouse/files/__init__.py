"""What is delivered: where files lie, which of them are data, whether they changed, and how they are read.

`deliveries.open_delivery` opens a delivery as `records.Records`; `listing.data_files` is the rule which files are data;
`read_errors` turns Spark's error on an unreadable file into one sentence.
"""
